"""The limits of what is computed for a request: its deadline, and its cancellation. Looked at before every pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from coder.diffusion.events import FinishReason


class Stopped(Exception):  # noqa: N818 (stopping on request is no error)
    """No more passes are wanted."""

    def __init__(self, reason: FinishReason) -> None:
        super().__init__(reason)
        self.reason: FinishReason = reason


@dataclass(frozen=True)
class TimeLimits:
    """A deadline, on the clock of `time.monotonic`, in seconds, and a function that tells of a cancellation."""

    deadline: float = float("inf")
    cancelled: Callable[[], bool] = lambda: False

    @property
    def reached(self) -> FinishReason | None:
        """The reason to stop now, if there is one."""
        if self.cancelled():
            return "cancelled"
        return "deadline" if time.monotonic() >= self.deadline else None

    def check(self) -> None:
        """Raise Stopped where one of the limits is reached."""
        if (reason := self.reached) is not None:
            raise Stopped(reason)


UNLIMITED = TimeLimits()
