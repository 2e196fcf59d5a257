"""Runs with a bar on standard error."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from evals.backends.backend import Backend, SamplingSettings
from evals.benchmarks.benchmark import Benchmark
from evals.execution import Executor
from evals.generation import generate
from evals.records import read_records, read_times
from evals.scoring.judging import Result, cut_to_canonical_lines, judge
from evals.scoring.summary import Summary, summarize
from evals.task import Task


def generate_with_progress(
    benchmark: Benchmark, tasks: list[Task], backend: Backend, file: Path, decoding: SamplingSettings, samples: int
) -> None:
    """`generate`, shown while it goes on."""
    label = f"{benchmark.name}: {backend.identity.label}"
    with _bar() as bar:
        row = bar.add_task(label, total=len(tasks) * samples, note="")
        for _ in generate(benchmark, tasks, backend, file, decoding, samples):
            bar.advance(row)


def score_with_progress(
    benchmark: Benchmark,
    tasks: list[Task],
    file: Path,
    verdicts: Path | None,
    workers: int | None,
    allow_unsandboxed: bool,
    cut_lines: bool = False,
) -> Summary:
    """The figures of a file of answers; the score so far is shown while they are run.

    Args:
        verdicts: keeps what is known already, see `judge`.
        cut_lines: cut each answer to as many lines as the canonical one has.

    Raises: InputError, SandboxError.
    """
    records = read_records(file)
    run = next((record.run for record in records if record.run), {"label": file.stem})
    if cut_lines:
        records, run = cut_to_canonical_lines(records, tasks), {**run, "cut": "canonical lines"}
    if (missing := len(tasks) - len({record.task_id for record in records})) and "tasks" not in run:
        typer.echo(f"note: {missing} of {len(tasks)} tasks have no answer; the figures are over the others", err=True)
    results: list[Result] = []
    packages = tuple(name for name in benchmark.packages if find_spec(name) is not None)
    with Executor(workers, allow_unsandboxed, packages=packages) as executor, _bar() as bar:
        row = bar.add_task(f"{benchmark.name}: {run['label']}", total=len(records), note="")
        for result in judge(benchmark, tasks, records, executor, verdicts):
            results.append(result)
            bar.update(row, advance=1, note=_score_so_far(results))
        if not executor.sandboxed:
            typer.echo("warning: no sandbox; the programs ran with resource limits alone", err=True)
    broken = sum(result.status == "sandbox" for result in results)
    if broken:
        typer.echo(f"warning: the sandbox broke on {broken} programs; nothing is known about them", err=True)
    return summarize(benchmark.name, results, run, read_times(file))


def _score_so_far(results: list[Result]) -> str:
    judged = [result.passed for result in results if result.passed is not None]
    return f"{sum(judged)}/{len(judged)} right" if judged else ""


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
    )
