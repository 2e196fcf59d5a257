"""The widths of quantised weights whose products this processor adds up exactly."""

from coder.model.onnx.runtime import products_saturate

EXACT_BITS = [7] if products_saturate() else [7, 8]
