"""Mercury's API."""
