"""The decoder in PyTorch, for GPUs, for training, and as the reference."""
