"""Quickfill's own API."""
