"""Edits on request: fill, rewrite, repair; and the next edit."""
