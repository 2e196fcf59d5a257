"""Cancellation of a request, seen by whoever computes its answer."""

from __future__ import annotations

import time
from typing import Protocol

from coder.api.completion import Completion
from coder.diffusion.events import FinishReason, Statistics


class Cancellation(Protocol):
    """Somebody may want no answer any more: a `threading.Event`, or several of them."""

    def is_set(self) -> bool: ...


class AnyOf:
    """Set as soon as one of the events is."""

    def __init__(self, *events: Cancellation) -> None:
        self._events = events

    def is_set(self) -> bool:
        return any(event.is_set() for event in self._events)


NEVER: Cancellation = AnyOf()
"""Nobody cancels."""


def is_over(deadline_ms: float | None, started: float, cancelled: Cancellation | None) -> bool:
    """Whether a request that started then (`time.monotonic()`) has no time left, or nobody waits for it any more."""
    late = deadline_ms is not None and 1000.0 * (time.monotonic() - started) >= deadline_ms
    return late or (cancelled is not None and cancelled.is_set())


def unstarted(reason: FinishReason, policy: str, seconds: float = 0.0) -> Completion:
    """The answer of a request that was over before anything was written."""
    return Completion("", reason, 0, seconds, Statistics(policy=policy))
