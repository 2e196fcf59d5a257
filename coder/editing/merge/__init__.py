"""Merging an edit that leaves parts out into the file that it edits."""
