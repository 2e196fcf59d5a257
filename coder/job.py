"""One request on its way through the engine: what the worker tells the caller, and the other way round."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Generator

from coder.completion import Completion, CompletionRequest, EngineEvent
from coder.diffusion.events import FinishReason, Statistics

POLL_SECONDS = 0.01
"""How soon a waiting caller notices that it was cancelled."""


class Job:
    """A request, its deadline and its cancellation; a queue of answers between two threads."""

    def __init__(self, request: CompletionRequest, cancelled: threading.Event) -> None:
        self.request = request
        self.cancelled = cancelled
        self.superseded = threading.Event()
        self.started = time.monotonic()
        seconds = float("inf") if request.deadline_ms is None else request.deadline_ms / 1000.0
        self.deadline = self.started + seconds
        self._answers: queue.SimpleQueue[EngineEvent | BaseException] = queue.SimpleQueue()

    def is_cancelled(self) -> bool:
        return self.cancelled.is_set() or self.superseded.is_set()

    @property
    def over(self) -> bool:
        return self.is_cancelled() or time.monotonic() >= self.deadline

    def put(self, answer: EngineEvent | BaseException) -> None:
        self._answers.put(answer)

    def events(self) -> Generator[EngineEvent, None, None]:
        """What the worker puts, up to the completion. A cancelled caller does not wait for the worker."""
        while True:
            try:
                answer = self._answers.get(timeout=POLL_SECONDS)
            except queue.Empty:
                if self.is_cancelled():
                    yield self._unfinished("cancelled")
                    return
                continue
            if isinstance(answer, BaseException):
                raise answer
            yield answer
            if isinstance(answer, Completion):
                return

    def _unfinished(self, reason: FinishReason) -> Completion:
        return Completion("", reason, 0, time.monotonic() - self.started, Statistics(policy=self.request.policy))
