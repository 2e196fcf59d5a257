"""Whether confidence means what it says: of the answers that were 80 % sure, are 80 % right?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from evals.scoring.judging import Result

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Answers of about the same confidence: how many, their mean confidence, and the share that passed."""

    answers: int
    confidence: float
    passed: float


def calibration(results: Sequence[Result], count: int = BINS) -> list[Bin]:
    """Answers by confidence, in `count` bins of equal width; bins without answers are left out."""
    members: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for result in results:
        if result.confidence is not None and result.passed is not None:
            number = min(int(result.confidence * count), count - 1)
            members[number].append((result.confidence, result.passed))
    return [
        Bin(len(pairs), sum(sure for sure, _ in pairs) / len(pairs), sum(passed for _, passed in pairs) / len(pairs))
        for _, pairs in sorted(members.items())
    ]


def expected_calibration_error(bins: Sequence[Bin]) -> float | None:
    """The mean distance of confidence and share of right answers, weighted by answers (Naeini et al. 2015, AAAI;
    Guo et al. 2017, arXiv:1706.04599, equation 3). None without answers."""
    total = sum(entry.answers for entry in bins)
    return sum(entry.answers * abs(entry.confidence - entry.passed) for entry in bins) / total if total else None
