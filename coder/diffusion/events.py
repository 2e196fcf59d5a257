"""The events of a denoising run, in token ids, and the limits that stop it.

Everything above the sampler (streaming, the denoising view, progress, deadlines) consumes this stream.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Literal

FinishReason = Literal["end", "length", "loop", "deadline", "cancelled"]
"""`end`: the model wrote its end token; `length`: the token limit; `loop`: it repeats itself; the
others: the caller's."""


@dataclass(frozen=True)
class Statistics:
    """The cost of a run. Seconds are wall-clock; a pass is one forward pass (NFE) of any kind.

    Attributes:
        policy: a readable description of the decoding method, e.g. `threshold(0.9), canvas 16`.
        tokens: tokens produced, the end token not counted.
        reused_tokens, prefill_tokens: context tokens found in the cache, and computed.
        prefill_passes, canvas_passes, commit_passes: forward passes by kind; `commit_passes` counts every causal pass
            after the prefill, verification and one-token decoding included.
        mean_confidence: mean probability of the produced tokens when they were fixed; 0.0 when there are none.
        emptiness: probability of the end token at the start of the output: that there is nothing to write.
    """

    policy: str
    tokens: int = 0
    reused_tokens: int = 0
    prefill_tokens: int = 0
    prefill_passes: int = 0
    canvas_passes: int = 0
    commit_passes: int = 0
    prefill_seconds: float = 0.0
    canvas_seconds: float = 0.0
    commit_seconds: float = 0.0
    mean_confidence: float = 0.0
    emptiness: float = 0.0

    @property
    def decode_passes(self) -> int:
        """Passes after the prefill."""
        return self.canvas_passes + self.commit_passes

    def with_cost_of(self, other: Statistics) -> Statistics:
        """Return the same tokens with the passes, prefills and seconds of another run added."""
        own = ("policy", "tokens", "mean_confidence", "emptiness")
        costs = [field.name for field in fields(self) if field.name not in own]
        return replace(self, **{name: getattr(self, name) + getattr(other, name) for name in costs})

    @property
    def tokens_per_pass(self) -> float:
        return self.tokens / self.decode_passes if self.decode_passes else 0.0


@dataclass(frozen=True)
class Prefilled:
    """The context is in the cache."""

    reused_tokens: int
    computed_tokens: int


@dataclass(frozen=True)
class Step:
    """One canvas pass was done.

    Attributes:
        canvas: the B slots after this step; masked ones hold the mask token.
        newly_unmasked: indices of the slots fixed by this step, ascending.
        confidences: their probabilities, in the same order.
    """

    canvas: tuple[int, ...]
    newly_unmasked: tuple[int, ...]
    confidences: tuple[float, ...]


@dataclass(frozen=True)
class Committed:
    """`tokens` joined the output for good; the canvas shown before them is done. The end token is never among them."""

    tokens: tuple[int, ...]
    confidences: tuple[float, ...]


@dataclass(frozen=True)
class Finished:
    """The last event of every run. `pending` holds tokens of an unfinished canvas, fixed without a gap from its
    start, when the run was stopped early."""

    reason: FinishReason
    statistics: Statistics
    pending: tuple[int, ...] = ()


Event = Prefilled | Step | Committed | Finished


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
