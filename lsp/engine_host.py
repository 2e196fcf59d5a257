"""The engine's life as the server sees it: loaded in the background, lost, replaced."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from coder.errors import InputError, QuickfillError
from lsp.engine_client import EngineClient, EngineStatus

log = logging.getLogger(__name__)

State = Literal["loading", "ready", "working", "error"]


class EngineHost:
    """Holds the one engine client, on the event loop's thread.

    Args:
        open_engine: blocks until an engine can be used. Raises QuickfillError with what to do about it.
        on_change: called when `state` or `message` changed.
    """

    def __init__(self, open_engine: Callable[[], EngineClient], on_change: Callable[[], None]) -> None:
        self.state: State = "loading"
        self.message = "loading the model"
        self.status: EngineStatus | None = None
        self._open_engine = open_engine
        self._on_change = on_change
        self._loading: asyncio.Task[EngineClient] | None = None
        self._running = 0

    @property
    def is_ready(self) -> bool:
        return self.state in ("ready", "working")

    async def client(self) -> EngineClient:
        """The engine, when it is loaded; one that failed is loaded anew. Raises QuickfillError."""
        if self._loading is None:
            self._set("loading", "loading the model")
            self._loading = asyncio.create_task(self._load())
        return await asyncio.shield(self._loading)

    @contextmanager
    def working(self) -> Iterator[None]:
        """While the engine works on a request. An error that is not the request's own means that it is lost."""
        self._running += 1
        if self.state == "ready":
            self._set("working", "")
        try:
            yield
        except InputError:
            raise
        except Exception as error:
            self.lose(error)
            raise
        finally:
            self._running -= 1
            if not self._running and self.state == "working":
                self._set("ready", "")

    def lose(self, error: Exception) -> None:
        """The engine is of no use any more; the next request gets another one."""
        if self._loading is None:
            return
        log.error("the engine is lost", exc_info=error)
        self.close()
        reason = str(error) if isinstance(error, QuickfillError) else f"{type(error).__name__}: {error}"
        self._set("error", f"the engine stopped ({reason}); it is started again with the next request")

    def close(self) -> None:
        """Let go of the engine, also while it is being loaded."""
        if self._loading is not None:
            self._loading.add_done_callback(_close)
            self._loading = None
        self.status = None

    async def _load(self) -> EngineClient:
        try:
            engine = await asyncio.to_thread(self._open_engine)
            self.status = await asyncio.to_thread(engine.status)
        except Exception as error:
            self._loading = None
            log.error("the engine cannot be loaded", exc_info=error)
            self._set("error", str(error))
            raise error if isinstance(error, QuickfillError) else QuickfillError(str(error)) from error
        self._set("ready", "")
        return engine

    def _set(self, state: State, message: str) -> None:
        self.state, self.message = state, message
        self._on_change()


def _close(loading: asyncio.Task[EngineClient]) -> None:
    if not loading.cancelled() and loading.exception() is None:
        asyncio.get_running_loop().run_in_executor(None, loading.result().close)
