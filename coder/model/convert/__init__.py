"""Writing checkpoints in other formats: safetensors, GGUF, vLLM."""
