"""While the user reads a suggestion, the engine reads what would stand there after accepting it."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import dataclass, field, replace

from coder.completion import CompletionRequest
from lsp.engine_client import EngineClient

log = logging.getLogger(__name__)


@dataclass
class WorkAhead:
    """At most one piece of work at a time, on the event loop's thread; any new request ends it."""

    _stopped: threading.Event = field(default_factory=threading.Event)
    _task: asyncio.Task[None] | None = None

    def start(self, engine: EngineClient, request: CompletionRequest, text: str, group: str) -> None:
        """Bring the context as it will be once `text` is accepted into the engine's cache.

        Args:
            group: that of the suggestions: the engine then puts any newer one first.
        """
        self.stop()
        self._stopped = threading.Event()
        self._task = asyncio.create_task(_prefill(engine, after_accepting(request, text), self._stopped, group))

    def stop(self) -> None:
        self._stopped.set()


def after_accepting(request: CompletionRequest, text: str) -> CompletionRequest:
    """The request with the text accepted. The answer does not matter, one token of it is the least there is."""
    return replace(request, prefix=request.prefix + text, max_tokens=1, deadline_ms=None)


async def _prefill(engine: EngineClient, request: CompletionRequest, stopped: threading.Event, group: str) -> None:
    try:
        await asyncio.to_thread(engine.complete, request, stopped, group)
    except Exception as error:  # nobody waits for this; whoever asks next hears of an engine that is gone
        log.info("working ahead failed: %s", error)
