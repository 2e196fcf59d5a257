"""Events between two threads, and the answer that a stream of them ends with."""

from __future__ import annotations

import queue
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any, Generic, TypeVar

from coder.api.cancellation import NEVER, Cancellation

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
        """No more items come, because of an error if there is one."""
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
            if isinstance(item, BaseException):
                raise item
            if item is None:
                return True
            yield item[0]
        return False
