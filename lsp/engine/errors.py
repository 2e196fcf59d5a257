"""Errors of an engine that runs in another process."""

from __future__ import annotations

from coder.errors import QuickfillError


class EngineLostError(QuickfillError):
    """The engine is gone: its process ended, or the connection to it broke. A new one may be found."""


class ServerLostError(EngineLostError):
    """The server that the settings name cannot be reached. It may come back by itself."""


class EngineRefusedError(QuickfillError):
    """The engine is there, but does not answer this request: it has too much to do, or failed at it."""
