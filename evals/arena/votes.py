"""Votes on disk: JSON lines, one a vote, as they are given."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from coder.errors import InputError
from evals.arena.pairs import Pair

Choice = Literal["left", "right", "tie", "skip"]
CHOICES: tuple[Choice, ...] = ("left", "right", "tie", "skip")


@dataclass(frozen=True)
class Vote:
    """What a person thought of a pair. `skip` counts for nothing; the pair is not shown again."""

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
