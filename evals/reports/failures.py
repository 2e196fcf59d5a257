"""Failures that one can read: what was asked, what was answered, how that differs, and what went wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from evals.scoring.judging import Result
from evals.task import Task

CONTEXT_LINES = 3
MOST_CONTEXT = 30
"""Lines before and behind the answer that are shown."""


@dataclass(frozen=True)
class DiffLine:
    """A line of a difference: `kind` is `same`, `missing` (of the canonical answer alone) or `added`."""

    kind: str
    text: str


@dataclass(frozen=True)
class FailedAnswer:
    """An answer that did not pass."""

    task_id: str
    sample: int
    status: str
    confidence: float | None
    before: str
    answer: str
    after: str
    difference: list[DiffLine]
    detail: str


def failures(results: Sequence[Result], tasks: Mapping[str, Task], most: int) -> list[FailedAnswer]:
    """The first `most` answers that did not pass, in the order of the run. Without its task, an answer stands alone."""
    wrong = (result for result in results if result.passed is False)
    return [_failure(result, tasks.get(result.task_id)) for result, _ in zip(wrong, range(most), strict=False)]


def difference(canonical: str, answer: str) -> Iterator[DiffLine]:
    """From the canonical answer to this one, with a few lines around each change."""
    kinds = {" ": "same", "-": "missing", "+": "added"}
    lines = difflib.unified_diff(canonical.splitlines(), answer.splitlines(), lineterm="", n=CONTEXT_LINES)
    for line in list(lines)[2:]:
        if line.startswith("@@"):
            yield DiffLine("gap", "…")
        else:
            yield DiffLine(kinds[line[0]], line[1:])


def _failure(result: Result, task: Task | None) -> FailedAnswer:
    before, after = (task.question.prefix, task.question.suffix) if task is not None else ("", "")
    return FailedAnswer(
        task_id=result.task_id,
        sample=result.sample,
        status=result.status,
        confidence=result.confidence,
        before="".join(before.splitlines(keepends=True)[-MOST_CONTEXT:]),
        answer=result.completion,
        after="".join(after.splitlines(keepends=True)[:MOST_CONTEXT]),
        difference=list(difference(task.canonical, result.completion)) if task is not None else [],
        detail=result.detail,
    )
