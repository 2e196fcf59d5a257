"""Checks of an installation, each with its remedy: the model, the processor, folders, editors, extras.

Other parts add theirs by an entry point of the group `quickfill.checks`: a function that yields findings.
"""
