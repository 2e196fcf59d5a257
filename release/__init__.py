"""Builds everything that a release consists of: `python -m release --out FOLDER`. See docs/releasing.md."""
