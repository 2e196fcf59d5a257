"""One request on its way through the engine: what the worker tells the caller, and the other way round."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from coder.api.cancellation import Cancellation
from coder.api.completion import CompletionRequest
from coder.api.streams import Mailbox

Answer = TypeVar("Answer")


class Speculative:
    """Work that nobody waits for: whoever does goes first."""

    def __init__(self) -> None:
        self._interrupted: set[threading.Event] = set()
        self._lock = threading.Lock()

    @contextmanager
    def work(self) -> Iterator[threading.Event]:
        """While such work is queued or under way. The event is set when it is to end."""
        interrupted = threading.Event()
        with self._lock:
            self._interrupted.add(interrupted)
        try:
            yield interrupted
        finally:
            with self._lock:
                self._interrupted.discard(interrupted)

    def interrupt(self) -> None:
        """End all of it."""
        with self._lock:
            for interrupted in self._interrupted:
                interrupted.set()


class Job(Generic[Answer]):
    """A request, its deadline and its cancellation; a queue of answers between two threads."""

    def __init__(self, request: CompletionRequest, cancelled: Cancellation) -> None:
        self.request = request
        self.cancelled = cancelled
        self.started = time.monotonic()
        limit_ms = request.decoding.deadline_ms
        self.deadline = self.started + (float("inf") if limit_ms is None else limit_ms / 1000.0)
        self._answers = Mailbox[Answer]()

    @property
    def seconds(self) -> float:
        """Since the request came."""
        return time.monotonic() - self.started

    @property
    def over(self) -> bool:
        return self.cancelled.is_set() or time.monotonic() >= self.deadline

    def run(self, answers: Iterable[Answer]) -> None:
        """Hand the caller what comes, as it comes, and any error."""
        try:
            for answer in answers:
                self._answers.put(answer)
            self._answers.end()
        except BaseException as error:
            self._answers.end(error)

    def answers(self) -> Generator[Answer, None, bool]:
        """Yield the worker's answers. A cancelled caller does not wait for them; return whether all came."""
        return self._answers.items(self.cancelled)
