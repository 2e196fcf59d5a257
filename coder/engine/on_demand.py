"""Something large that is loaded when it is first needed, and let go of when nobody has needed it for a while."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from coder.model.freed_memory import give_back_freed_memory

SECONDS = 120.0
"""The time that it is kept: a second set of weights comes back from its mapped file in about one and a half."""

Loaded = TypeVar("Loaded")


class OnDemand(Generic[Loaded]):
    """Any thread may use it; it is loaded once for all that do.

    Args:
        load: loads it. What that raises, whoever uses it gets, and the next one tries again.
        seconds: the time that it is kept after its last use.
    """

    def __init__(self, load: Callable[[], Loaded], seconds: float = SECONDS) -> None:
        self._load = load
        self._seconds = seconds
        self._lock = threading.Lock()
        """Held while it is loaded, too, so that others wait for it."""
        self._loaded: Loaded | None = None
        self._users = 0
        self._timer: threading.Timer | None = None

    @property
    def is_loaded(self) -> bool:
        return self._loaded is not None

    @contextmanager
    def using(self) -> Iterator[Loaded]:
        """While it is used it stays."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            if self._loaded is None:
                self._loaded = self._load()
            self._users += 1
            loaded = self._loaded
        try:
            yield loaded
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._timer = threading.Timer(self._seconds, self.let_go)
                    self._timer.daemon = True
                    self._timer.start()

    def let_go(self) -> None:
        """Let go of it, unless it is in use."""
        with self._lock:
            if not self._users:
                self._loaded = None
        gc.collect()
        give_back_freed_memory()

    def close(self) -> None:
        """Let go of it, and wait for nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        self.let_go()
