"""The model and what runs it: configuration, checkpoint, tokens, prompt layout, and the decoder in two runtimes."""
