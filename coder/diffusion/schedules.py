"""Noise schedules: how much of a block is visible at noise level t (masked diffusion: MDLM, arXiv:2406.07524)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


class Schedule(ABC):
    """alpha(t) is the probability that a token is visible at noise level t: 1 at t = 0, falling to 0 at t = 1.

    All methods take a number or an array of them and return float64 of the same shape.
    """

    @abstractmethod
    def alpha(self, t: npt.ArrayLike) -> FloatArray:
        """Share of visible tokens at noise level t in [0, 1]."""

    @abstractmethod
    def alpha_derivative(self, t: npt.ArrayLike) -> FloatArray:
        """d alpha / dt, never positive."""

    def weight(self, t: npt.ArrayLike) -> FloatArray:
        """Weight of a masked token's loss, -alpha'(t) / (1 - alpha(t)), for t in (0, 1] (MDLM's bound)."""
        return -self.alpha_derivative(t) / (1.0 - self.alpha(t))


@dataclass(frozen=True)
class LinearSchedule(Schedule):
    """alpha(t) = 1 - t; the weight is 1 / t."""

    def alpha(self, t: npt.ArrayLike) -> FloatArray:
        return 1.0 - np.asarray(t, np.float64)

    def alpha_derivative(self, t: npt.ArrayLike) -> FloatArray:
        return np.full_like(np.asarray(t, np.float64), -1.0)

    def __str__(self) -> str:
        return "linear"


@dataclass(frozen=True)
class CosineSchedule(Schedule):
    """alpha(t) = 1 - cos(pi/2 (1 - t)); unmasks few slots at first and many at last."""

    def alpha(self, t: npt.ArrayLike) -> FloatArray:
        # The same cosine written as a sine, which is exact at both ends.
        return 1.0 - np.sin(np.pi / 2 * np.asarray(t, np.float64))

    def alpha_derivative(self, t: npt.ArrayLike) -> FloatArray:
        return -np.pi / 2 * np.cos(np.pi / 2 * np.asarray(t, np.float64))

    def __str__(self) -> str:
        return "cosine"


@lru_cache(maxsize=1024)
def masked_counts(schedule: Schedule, slots: int, steps: int) -> npt.NDArray[np.int64]:
    """Return how many of `slots` are masked before the first step and after each: int64 [steps + 1], read-only.

    Time runs from 1 to 0 in equal steps. It starts at `slots` and ends at 0, and every step unmasks at least one slot
    while there are no more steps than slots.
    """
    done = np.arange(steps + 1)
    masked = np.rint(slots * (1.0 - schedule.alpha(1.0 - done / steps))).astype(np.int64)
    if steps <= slots:
        masked = np.minimum.accumulate(masked + done) - done
        masked = np.maximum(masked, steps - done)
    masked.setflags(write=False)
    return masked
