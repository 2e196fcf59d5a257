"""Figures over tasks, and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CONFIDENCE = 0.95
RESAMPLES = 5000
BATCH = 250
"""Resamples computed at a time, so that thousands of tasks fit in memory."""

SEED = 7
"""The seed of the resampling, fixed so that the same results have the same interval."""


@dataclass(frozen=True)
class Estimate:
    """A mean over tasks and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """Two runs over the same tasks, as second minus first.

    Attributes:
        only_first, only_second: tasks that one run alone gets right.
        p_value: of McNemar's exact test that both are as likely; None where a task has several samples.
    """

    difference: Estimate
    tasks: int
    only_first: int
    only_second: int
    p_value: float | None


def pass_at_k(samples: int, correct: int, k: int) -> float:
    """The probability that one of `k` samples drawn from `samples`, `correct` of them right, is right.

    Unbiased: 1 - C(n-c, k) / C(n, k) (Chen et al. 2021, arXiv:2107.03374, equation 1).
    """
    if not 0 <= correct <= samples or not 1 <= k <= samples:
        raise ValueError(f"pass@{k} of {correct} right among {samples} samples means nothing")
    if samples - correct < k:
        return 1.0
    return float(1.0 - np.prod(1.0 - k / np.arange(samples - correct + 1, samples + 1)))


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of one value a task, with a bootstrap interval over the tasks (percentiles).

    Where all values are equal the interval is that value: a bootstrap cannot say more.
    """
    from scipy import stats

    data = np.asarray(values, dtype=float)
    if not len(data):
        raise ValueError("there are no values")
    mean = float(data.mean())
    if np.all(data == data[0]):
        return Estimate(mean, mean, mean)
    interval = stats.bootstrap(
        (data,),
        _mean,
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=BATCH,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    return Estimate(mean, float(interval.low), float(interval.high))


def compare(first: Sequence[Sequence[bool]], second: Sequence[Sequence[bool]]) -> Comparison:
    """Two runs over the same tasks: for each task, in the same order, whether its samples are right.

    The interval is a bootstrap over the tasks' differences; p is McNemar's, exact (binomial), where every task has one
    sample in both runs.
    """
    from scipy import stats

    if len(first) != len(second) or not first:
        raise ValueError("two runs are compared over the same tasks")
    means = [(float(np.mean(one)), float(np.mean(other))) for one, other in zip(first, second, strict=True)]
    difference = estimate([other - one for one, other in means])
    only_first = sum(one > other for one, other in means)
    only_second = sum(one < other for one, other in means)
    single = all(len(samples) == 1 for samples in (*first, *second))
    disagreements = only_first + only_second
    p_value = None
    if single:
        p_value = float(stats.binomtest(only_first, disagreements).pvalue) if disagreements else 1.0
    return Comparison(difference, len(first), only_first, only_second, p_value)


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed, interpolated."""
    return float(np.quantile(np.asarray(values, dtype=float), share))


def _mean(data: npt.NDArray[np.float64], axis: int = -1) -> npt.NDArray[np.float64]:
    return np.mean(data, axis=axis)
