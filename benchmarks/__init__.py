"""Measurements of speed, size and accuracy; the README beside explains each. A figure depends on the machine."""
