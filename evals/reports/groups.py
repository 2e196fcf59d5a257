"""Results in groups: by confidence, to see whether it is calibrated, and by the length of the canonical answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evals.scoring.judging import Result
from evals.scoring.statistics import Estimate, estimate
from evals.task import Task

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


LINES = ((1, 1), (2, 2), (3, 4), (5, 8), (9, 16), (17, None))
"""Lines of a canonical answer that are taken together."""


def _name(first: int, last: int | None) -> str:
    if last is None:
        return f"{first} or more"
    return str(first) if first == last else f"{first} to {last}"


GROUP_NAMES = [_name(*bounds) for bounds in LINES]


@dataclass(frozen=True)
class LengthGroup:
    """Tasks whose canonical answer has about as many lines."""

    name: str
    tasks: int
    score: Estimate


def by_length(results: Sequence[Result], tasks: Mapping[str, Task]) -> list[LengthGroup]:
    """pass@1 by the length of the canonical answer, without the groups that have no tasks."""
    by_task: dict[str, list[bool]] = defaultdict(list)
    for result in results:
        if result.passed is not None and result.task_id in tasks:
            by_task[result.task_id].append(result.passed)
    groups: dict[tuple[int, int | None], list[float]] = defaultdict(list)
    for task_id, passed in by_task.items():
        groups[_bounds(lines_of(tasks[task_id].canonical))].append(sum(passed) / len(passed))
    return [
        LengthGroup(_name(*bounds), len(groups[bounds]), estimate(groups[bounds])) for bounds in LINES if groups[bounds]
    ]


def lines_of(answer: str) -> int:
    """Lines that are not blank, at least one."""
    return max(1, sum(1 for line in answer.splitlines() if line.strip()))


def _bounds(lines: int) -> tuple[int, int | None]:
    return next(bounds for bounds in LINES if bounds[1] is None or lines <= bounds[1])
