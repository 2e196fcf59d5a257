"""The decoder in ONNX Runtime, int8 on a processor."""
