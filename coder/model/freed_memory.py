"""Memory that was freed, given back to the system: the C library keeps it unless it is told."""

from __future__ import annotations

import ctypes
import sys


def give_back_freed_memory() -> None:
    """Return it where that can be said; elsewhere the library does it by itself."""
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "malloc_trim"):
        library.malloc_trim(0)
