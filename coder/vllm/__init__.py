"""An engine whose model runs in a vLLM server."""
