"""Drawing on a terminal, reading sources and writing results back."""
