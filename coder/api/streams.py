"""A request between two threads: its cancellation, its deadline, its events and the answer they end with."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Generic, Protocol, TypeVar

from coder.api.completion import Completion, CompletionRequest
from coder.diffusion.events import FinishReason, Statistics, TimeLimits


class Cancellation(Protocol):
    """A flag that is set when no answer is wanted any more: a `threading.Event`, or several of them."""

    def is_set(self) -> bool: ...


class AnyOf:
    """Set as soon as one of the events is."""

    def __init__(self, *events: Cancellation) -> None:
        self._events = events

    def is_set(self) -> bool:
        return any(event.is_set() for event in self._events)


class After:
    """Set so many seconds after it was made."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def is_set(self) -> bool:
        return time.monotonic() >= self._end


NEVER: Cancellation = AnyOf()
"""The cancellation of a request that nobody cancels."""


def limits_of(deadline_ms: float | None, started: float, cancelled: Cancellation | None = None) -> TimeLimits:
    """Return the limits of a request that started then (`time.monotonic()`)."""
    deadline = float("inf") if deadline_ms is None else started + deadline_ms / 1000.0
    return TimeLimits(deadline, (cancelled or NEVER).is_set)


def unstarted(reason: FinishReason, policy: str, seconds: float = 0.0) -> Completion:
    """Return the answer of a request that was over before anything was written."""
    return Completion("", reason, 0, seconds, Statistics(policy=policy))


POLL_SECONDS = 0.01
"""Seconds after which a reader that waits notices that it was cancelled."""

Answer = TypeVar("Answer")
Item = TypeVar("Item")


def last(
    events: Generator[Any, None, None],
    kind: type[Answer] | tuple[type[Answer], ...],
    watch: Callable[[Any], object] | None = None,
) -> Answer:
    """Return the event of a kind that comes once, at the end. Those before it go to `watch`. The stream is closed."""
    with closing(events):
        for event in events:
            if isinstance(event, kind):
                return event
            if watch:
                watch(event)
    raise AssertionError("a stream ends with its answer")


class Mailbox(Generic[Item]):
    """Items that one thread puts and another one takes, who may lose interest in them.

    Attributes:
        ended: everything has been put.
    """

    def __init__(self) -> None:
        self.ended = False
        self._items: queue.SimpleQueue[tuple[Item] | BaseException | None] = queue.SimpleQueue()

    def put(self, item: Item) -> None:
        self._items.put((item,))

    def end(self, error: BaseException | None = None) -> None:
        """Say that no more items come, because of an error if there is one."""
        self.ended = True
        self._items.put(error)

    def items(self, cancelled: Cancellation = NEVER) -> Generator[Item, None, bool]:
        """Yield the items as they come; raise the error that they end with. Return whether all were taken.

        A cancelled reader waits for nothing: it gets the rest only where everything has been put already, so that an
        answer which is there is not lost.
        """
        while self.ended or not cancelled.is_set():
            try:
                item = self._items.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            if isinstance(item, tuple):
                yield item[0]
                continue
            self._items.put(item)  # the end stays, for whoever reads again
            if item is not None:
                raise item
            return True
        return False


class Speculative:
    """Work that nobody waits for, which gives way to any request."""

    def __init__(self) -> None:
        self._interrupted: set[threading.Event] = set()
        self._lock = threading.Lock()

    @contextmanager
    def work(self) -> Iterator[threading.Event]:
        """Register such work while it is queued or under way. The event is set when it is to end."""
        interrupted = threading.Event()
        with self._lock:
            self._interrupted.add(interrupted)
        try:
            yield interrupted
        finally:
            with self._lock:
                self._interrupted.discard(interrupted)

    def interrupt(self) -> None:
        """End all speculative work."""
        with self._lock:
            for interrupted in self._interrupted:
                interrupted.set()


class Job(Generic[Answer]):
    """A request, its deadline and its cancellation; a queue of answers between two threads."""

    def __init__(self, request: CompletionRequest, cancelled: Cancellation) -> None:
        self.request = request
        self.cancelled = cancelled
        self.started = time.monotonic()
        self.limits = limits_of(request.decoding.deadline_ms, self.started, cancelled)
        self._answers = Mailbox[Answer]()

    @property
    def seconds(self) -> float:
        """Since the request came."""
        return time.monotonic() - self.started

    @property
    def over(self) -> bool:
        return self.limits.reached is not None

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
