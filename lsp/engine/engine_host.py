"""The engine's life as the server sees it: loaded in the background, lost, replaced."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from coder.api.text_engine import EngineStatus, TextEngine
from coder.errors import InputError, QuickfillError
from lsp.engine.errors import EngineRefusedError, ServerLostError

log = logging.getLogger(__name__)

State = Literal["loading", "ready", "working", "error"]

MOST_LOSSES, WITHIN = 3, 60.0
"""Losses of the engine, within so many seconds, after which it is only started again when the user asks."""

RETRY_SECONDS = 3.0
"""Seconds before a server that could not be reached is asked again, unless the user asks for something."""


class EngineHost:
    """Holds the one engine client, on the event loop's thread.

    Args:
        open_engine: blocks until an engine can be used. Raises QuickfillError with what to do about it.
        on_change: called when `state` or `message` changed.
        opening: what to say while it is opened.
    """

    def __init__(
        self,
        open_engine: Callable[[], TextEngine],
        on_change: Callable[[], None],
        opening: Callable[[], str] = lambda: "loading the model",
    ) -> None:
        self.state: State = "loading"
        self.message = opening()
        self.status: EngineStatus | None = None
        self._open_engine = open_engine
        self._on_change = on_change
        self._opening = opening
        self._loading: asyncio.Task[TextEngine] | None = None
        self._running = 0
        self._losses: deque[float] = deque(maxlen=MOST_LOSSES)
        self._unusable = False
        self._retry_at = 0.0

    @property
    def is_ready(self) -> bool:
        return self.state in ("ready", "working")

    async def client(self) -> TextEngine:
        """The engine, when it is loaded; one that failed is loaded anew. Raises QuickfillError."""
        return await asyncio.shield(self._loading or self._start())

    def recover(self) -> None:
        """Start a lost engine again in the background, unless it was lost too often."""
        too_soon = time.monotonic() < self._retry_at
        lost_often = len(self._losses) == MOST_LOSSES and time.monotonic() - self._losses[0] < WITHIN
        if self._loading is None and not self._unusable and not lost_often and not too_soon:
            self._start()

    @contextmanager
    def working(self) -> Iterator[None]:
        """While the engine works on a request. An error that is not the request's own means that the engine is lost."""
        self._running += 1
        if self.state == "ready":
            self._set("working", "")
        try:
            yield
        except (InputError, EngineRefusedError):
            raise
        except Exception as error:
            self._lose(error)
            raise
        finally:
            self._running -= 1
            if not self._running and self.state == "working":
                self._set("ready", "")

    def close(self) -> None:
        """Close the engine, even while it is being loaded; the next request gets another one."""
        if self._loading is not None:
            self._loading.add_done_callback(_close)
            self._loading = None
        self.status, self._unusable, self._retry_at = None, False, 0.0

    def _start(self) -> asyncio.Task[TextEngine]:
        self._set("loading", self._opening())
        self._loading = asyncio.create_task(self._load())
        # Whoever waits for it gets its error; where nobody does, the state has told.
        self._loading.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._loading

    async def _load(self) -> TextEngine:
        try:
            engine = await asyncio.to_thread(self._open_engine)
            status = await asyncio.to_thread(engine.status)
        except Exception as error:
            if self._loading is asyncio.current_task():
                self._loading, self._unusable = None, not isinstance(error, ServerLostError)
                if isinstance(error, ServerLostError):
                    self._miss(error)
                else:
                    self._set("error", f"the model cannot be loaded: {_reason(error)}")
            raise error if isinstance(error, QuickfillError) else QuickfillError(_reason(error)) from error
        if self._loading is asyncio.current_task():
            self.status, self._unusable = status, False
            self._set("ready", "")
        return engine

    def _lose(self, error: Exception) -> None:
        if self._loading is None:
            return
        log.error("the engine is lost", exc_info=error)
        if isinstance(error, ServerLostError):
            self.close()
            self._miss(error)
            return
        self._losses.append(time.monotonic())
        self.close()
        self._set("error", f"the engine stopped ({_reason(error)}); it is started again with the next request")

    def _miss(self, error: ServerLostError) -> None:
        self._retry_at = time.monotonic() + RETRY_SECONDS
        self._set("error", f"{error}; it is tried again while you work")

    def _set(self, state: State, message: str) -> None:
        self.state, self.message = state, message
        self._on_change()


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, QuickfillError) else f"{type(error).__name__}: {error}"


def _close(loading: asyncio.Task[TextEngine]) -> None:
    if not loading.cancelled() and loading.exception() is None:
        asyncio.get_running_loop().run_in_executor(None, loading.result().close)
