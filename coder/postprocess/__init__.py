"""Cleaning an answer before a user sees it: pure functions over texts."""
