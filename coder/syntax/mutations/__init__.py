"""Defects put into sound code, to train and to measure repair."""
