"""From answers to results: run what can be run, compare what can be compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from coder.errors import InputError
from evals.benchmarks.benchmark import Benchmark
from evals.execution import Executor
from evals.records import Key, Record
from evals.sandbox.program import Program, Verdict
from evals.scoring.text import edit_similarity, exact_match, new_inventions, new_undefined_names, parses
from evals.task import Task

COMPARED = "compared"
"""The status of an answer that is judged without being run."""

UNJUDGED = "unjudged"
"""The status of an answer that nothing here can judge: of a language that is not run, to a question of taste."""


@dataclass(frozen=True)
class Result:
    """The outcome of one answer.

    Attributes:
        passed: None where nothing here can judge it.
        status, detail: as in `Verdict`; or `compared`, or `unjudged`.
        sandboxed: None where nothing was run.
        syntax_valid, undefined_names, invented_uses: None where they cannot be known.
        measures: what else the benchmark says of the answer, each true or false.
    """

    task_id: str
    sample: int
    completion: str
    passed: bool | None
    status: str
    detail: str
    sandboxed: bool | None
    exact_match: bool
    edit_similarity: float
    syntax_valid: bool | None
    undefined_names: list[str] | None = None
    invented_uses: list[str] | None = None
    measures: dict[str, bool] = field(default_factory=dict)
    finish_reason: str | None = None
    tokens: int | None = None
    passes: int | None = None
    confidence: float | None = None


def judge(
    benchmark: Benchmark, tasks: list[Task], records: list[Record], executor: Executor, verdicts: Path | None = None
) -> Iterator[Result]:
    """A result for each record, in their order.

    Args:
        verdicts: a file that keeps verdicts as they come, so that a run that was stopped need not execute them again.

    Raises InputError for an answer to a task that is not in the benchmark, or was another when it was answered.
    """
    by_id = {task.task_id: task for task in tasks}
    for record in records:
        _check(record, by_id, benchmark)
    with Verdicts(verdicts, executor) as kept:
        programs = [
            (record.key, benchmark.run(task, record.completion))
            for record in records
            if benchmark.judge(task := by_id[record.task_id], record.completion) is None and benchmark.executed(task)
        ]
        answers = kept.check(programs)
        to_execute = {key for key, _ in programs}
        for record in records:
            task = by_id[record.task_id]
            verdict = next(answers) if record.key in to_execute else None
            yield _result(benchmark, task, record, verdict)


def _check(record: Record, by_id: dict[str, Task], benchmark: Benchmark) -> None:
    task = by_id.get(record.task_id)
    if task is None:
        raise InputError(f"{benchmark.name} has no task {record.task_id!r}; are these answers to another benchmark?")
    if record.task_sha256 not in (None, task.digest):
        raise InputError(f"{record.task_id} is not the task that was answered; the benchmark's data has changed")


def _result(benchmark: Benchmark, task: Task, record: Record, verdict: Verdict | None) -> Result:
    answer, program = record.completion, task.program(record.completion)
    valid = parses(program, task.language)
    readable = bool(valid) and task.language == "python"
    sound = task.program(task.canonical)
    if verdict is not None:
        passed, status, detail = verdict.passed, verdict.status, verdict.detail
    else:
        passed = benchmark.judge(task, answer)
        status, detail = (UNJUDGED if passed is None else COMPARED), ""
    return Result(
        task_id=record.task_id,
        sample=record.sample,
        completion=answer,
        passed=passed if status != "sandbox" else None,
        status=status,
        detail=detail,
        sandboxed=None if verdict is None else verdict.sandboxed,
        exact_match=exact_match(answer, task.canonical),
        edit_similarity=edit_similarity(answer, task.canonical),
        syntax_valid=valid,
        undefined_names=new_undefined_names(program, sound) if readable else None,
        invented_uses=new_inventions(program, sound) if readable else None,
        measures=benchmark.measures(task, answer),
        finish_reason=record.finish_reason,
        tokens=record.tokens,
        passes=record.passes,
        confidence=record.confidence,
    )


class Verdicts:
    """Verdicts on disk, a line each, by the program they are about. Use it as a context manager."""

    def __init__(self, file: Path | None, executor: Executor) -> None:
        self._file = file
        self._executor = executor
        self._known: dict[str, Verdict] = {}

    def __enter__(self) -> Verdicts:
        if self._file is not None and self._file.exists():
            for line in self._file.read_bytes().split(b"\n")[:-1]:
                row = json.loads(line)
                digest = row.pop("sha256")
                self._known[digest] = Verdict(**row)
            content = self._file.read_bytes()
            self._file.write_bytes(content[: content.rfind(b"\n") + 1])
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is kept open."""

    def check(self, programs: list[tuple[Key, Program]]) -> Iterator[Verdict]:
        """The verdicts in the order of the programs; those that are known are not executed again."""
        digests = [_digest(program) for _, program in programs]
        missing = (program for (_, program), digest in zip(programs, digests, strict=True) if digest not in self._known)
        fresh = self._executor.check_all(missing)
        for digest in digests:
            known = self._known.get(digest)
            if known is None:
                known = next(fresh)
                self._keep(digest, known)
            yield known

    def _keep(self, digest: str, verdict: Verdict) -> None:
        if self._file is None or verdict.status == "sandbox":
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8", newline="\n") as output:
            output.write(json.dumps({"sha256": digest, **asdict(verdict)}) + "\n")


def _digest(program: Program) -> str:
    return hashlib.sha256(json.dumps(asdict(program), sort_keys=True).encode("ascii")).hexdigest()


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
