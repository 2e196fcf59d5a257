"""Checkpoints on disk: found, validated, read; their configuration, tokens and prompt layouts."""
