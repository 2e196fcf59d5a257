"""Runs with a bar on standard error."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from evals.backends.backend import Backend, Decoding
from evals.benchmarks.benchmark import Benchmark
from evals.generation import generate
from evals.task import Task


def generate_with_progress(
    benchmark: Benchmark, tasks: list[Task], backend: Backend, file: Path, decoding: Decoding, samples: int
) -> None:
    """`generate`, shown while it goes on."""
    label = f"{benchmark.name}: {backend.identity.label}"
    with _bar() as bar:
        row = bar.add_task(label, total=len(tasks) * samples, note="")
        for _ in generate(benchmark, tasks, backend, file, decoding, samples):
            bar.advance(row)


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
