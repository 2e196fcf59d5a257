"""Answers cut to as many lines as the canonical ones have: an oracle of length, by lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from evals.records import Record
from evals.task import Task


def cut_to_canonical_lines(records: Sequence[Record], tasks: Sequence[Task]) -> list[Record]:
    """Each record with the first lines of its answer, as many as the canonical answer has.

    So Fried et al. 2022 (InCoder, arXiv:2204.05999) cut what fills a hole of lines.
    """
    lines = {task.task_id: len(task.canonical.splitlines()) for task in tasks}
    return [
        replace(record, completion=first_lines(record.completion, lines.get(record.task_id, 0))) for record in records
    ]


def first_lines(text: str, count: int) -> str:
    return "".join(text.splitlines(keepends=True)[:count])
