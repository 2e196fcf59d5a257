"""What is put before a person: two answers to the same question, on sides that a seed decides."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coder.errors import InputError
from evals.records import Record
from evals.task import Task


@dataclass(frozen=True)
class Pair:
    """Two answers to one task. `left_run` and `right_run` say whose they are, and stay hidden."""

    name: str
    before: str
    left: str
    right: str
    after: str
    left_run: str
    right_run: str
    instruction: str = ""


def make_pairs(
    runs: tuple[str, str], first: Sequence[Record], second: Sequence[Record], tasks: Mapping[str, Task], seed: int
) -> list[Pair]:
    """Pairs of different answers to the same task and sample, in random order with random sides; `seed` fixes both.

    Args:
        runs: the names under which the two are voted for.

    Raises InputError when the runs have no such pair.
    """
    others = {record.key: record.completion for record in second}
    draw = random.Random(f"arena/{seed}")
    pairs = []
    for record in first:
        answers = (record.completion, others.get(record.key, record.completion))
        task = tasks.get(record.task_id)
        if answers[0] == answers[1] or task is None:
            continue
        left, right = (0, 1) if draw.random() < 0.5 else (1, 0)
        pairs.append(
            Pair(
                name=f"{record.task_id}#{record.sample}",
                before=task.question.prefix,
                left=answers[left],
                right=answers[right],
                after=task.question.suffix,
                left_run=runs[left],
                right_run=runs[right],
                instruction=getattr(task.question, "instruction", ""),
            )
        )
    if not pairs:
        raise InputError("the two runs answer no task of this benchmark differently; there is nothing to vote on")
    draw.shuffle(pairs)
    return pairs
