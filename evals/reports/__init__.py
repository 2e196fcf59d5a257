"""Scored runs for people: tables, Markdown, and one HTML page that needs nothing else."""
