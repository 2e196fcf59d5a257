"""What measures speed, size and accuracy. Not a test: a figure depends on the machine and on what else it does."""
