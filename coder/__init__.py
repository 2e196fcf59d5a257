"""Quickfill's engine: the diffusion code model and everything that runs it.

Importing this package is cheap and loads no framework; `coder.engine.engine.Engine` is the one door.
"""

__version__ = "0.1.0"
