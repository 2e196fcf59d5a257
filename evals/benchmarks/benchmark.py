"""The interface of a benchmark: tasks, the cutting of a model's text, the judging of an answer."""

from __future__ import annotations

import gzip
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from coder.errors import InputError
from evals.sandbox.program import Program
from evals.task import Task


class Benchmark(ABC):
    """A set of tasks.

    Attributes:
        name: how the command line knows it.
        description: one line for people. source: the paper, and where the data is from.
        stops: the answer ends before the first of these.
        max_tokens: most tokens of an answer.
        packages: installed packages that answers and tests may import besides the standard library.
        file_form: what the published file is, for benchmarks that are read from one; empty where none is needed.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    source: ClassVar[str]
    stops: ClassVar[tuple[str, ...]] = ()
    max_tokens: ClassVar[int] = 256
    packages: ClassVar[tuple[str, ...]] = ()
    file_form: ClassVar[str] = ""

    def __init__(self, file: Path | None = None) -> None:
        """Raises InputError where a file is needed and missing."""
        if self.file_form and file is None:
            raise InputError(f"{self.name} is read from its published file: --tasks FILE ({self.file_form})")
        self.file = file

    @abstractmethod
    def tasks(self) -> list[Task]:
        """All tasks, in the published order. Raises InputError for a file of another form."""

    def truncate(self, task: Task, text: str) -> str:
        """The answer in what a model wrote, by the published rule."""
        return cut_at(text, self.stops)

    def judge(self, task: Task, answer: str) -> bool | None:
        """Return whether the answer is right, where that takes no execution; None where it does."""
        return None

    def measures(self, task: Task, answer: str) -> dict[str, bool]:
        """Other properties of an answer, true or false; the report gives the share of each."""
        return {}

    def executed(self, task: Task) -> bool:
        """Return whether answers to the task can be executed here."""
        return bool(task.test or task.cases)

    def run(self, task: Task, answer: str) -> Program:
        """The program to execute, and the test that decides about it."""
        return Program(
            task_id=task.task_id,
            completion_code=task.program(answer),
            test=task.test,
            entry_point=task.entry_point,
            prompt=task.helpers,
            timeout_seconds=task.timeout_seconds,
            cases=task.cases,
        )


def cut_at(text: str, stops: Sequence[str]) -> str:
    """The text up to the first of `stops`."""
    ends = [position for stop in stops if (position := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text


def read_json_lines(file: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON-lines file, or of a JSON array, compressed or not. Raises InputError."""
    try:
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        text = content.decode("utf-8")
        rows = (
            json.loads(text) if text.lstrip().startswith("[") else map(json.loads, filter(str.strip, text.split("\n")))
        )
        for row in rows:
            if not isinstance(row, dict):
                raise InputError(f"{file}: a line holds no JSON object")
            yield row
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"cannot read {file}: {error}") from error


def columns(row: dict[str, Any], file: Path | None, *names: str) -> tuple[Any, ...]:
    """The named values of a row. Raises InputError where one is missing."""
    missing = [name for name in names if name not in row]
    if missing:
        raise InputError(f"{file}: a task lacks {', '.join(missing)}; is this the file of another benchmark?")
    return tuple(row[name] for name in names)
