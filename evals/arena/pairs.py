"""Pairs of answers to the same question, on sides that a seed decides, and the votes on them."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

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


Choice = Literal["left", "right", "tie", "skip"]
CHOICES: tuple[Choice, ...] = ("left", "right", "tie", "skip")


@dataclass(frozen=True)
class Vote:
    """A person's opinion on a pair. `skip` counts for nothing; the pair is not shown again."""

    pair: str
    left_run: str
    right_run: str
    choice: Choice


class Votes:
    """The votes of a file, which is made with the first one.

    Raises InputError when the file holds something else, or votes about other runs.
    """

    def __init__(self, file: Path, runs: tuple[str, str]) -> None:
        self._file = file
        self.given = read_votes(file) if file.exists() else []
        for vote in self.given:
            if {vote.left_run, vote.right_run} != set(runs):
                raise InputError(f"{file} holds votes about {vote.left_run} and {vote.right_run}; name another file")

    def add(self, pair: Pair, choice: Choice) -> None:
        vote = Vote(pair.name, pair.left_run, pair.right_run, choice)
        with self._file.open("a", encoding="utf-8", newline="\n") as output:
            output.write(json.dumps(asdict(vote)) + "\n")
        self.given.append(vote)

    def missing(self, pairs: Sequence[Pair]) -> list[Pair]:
        """The pairs that nobody has voted on."""
        voted = {vote.pair for vote in self.given}
        return [pair for pair in pairs if pair.name not in voted]


def read_votes(file: Path) -> list[Vote]:
    """Raises InputError for a file that holds no votes."""
    try:
        votes = [Vote(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]
        if any(vote.choice not in CHOICES for vote in votes):
            raise ValueError("an unknown choice")
    except (ValueError, TypeError) as error:
        raise InputError(f"{file} is not a file of votes: {error}") from error
    return votes
