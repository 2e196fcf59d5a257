"""While the user reads a suggestion, the engine reads what would stand there after accepting it."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import dataclass, field, replace

from coder.api.completion import CompletionRequest
from lsp.engine.engine_client import EngineClient

log = logging.getLogger(__name__)


@dataclass
class WorkAhead:
    """At most one piece of work at a time, on the event loop's thread; the engine puts any request first."""

    _stopped: threading.Event = field(default_factory=threading.Event)
    _task: asyncio.Task[None] | None = None

    def start(self, engine: EngineClient, request: CompletionRequest, prefix: str) -> None:
        """Bring the context of the request as it will be, with this prefix, into the engine's cache."""
        self.stop()
        self._stopped = threading.Event()
        self._task = asyncio.create_task(_prefill(engine, replace(request, prefix=prefix), self._stopped))

    def stop(self) -> None:
        self._stopped.set()


async def _prefill(engine: EngineClient, request: CompletionRequest, stopped: threading.Event) -> None:
    try:
        await asyncio.to_thread(engine.prefill, request, stopped)
    except Exception as error:  # nobody waits for this; whoever asks next hears of an engine that is gone
        log.info("working ahead failed: %s", error)
