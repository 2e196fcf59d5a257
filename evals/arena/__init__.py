"""A blind comparison of two runs by people."""
