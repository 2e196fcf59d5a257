"""From tasks to a run's file: ask the backend for what is not there yet."""

from __future__ import annotations

import platform
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from evals.backends.backend import AnswerRequest, Backend, ModelAnswer, SamplingSettings
from evals.benchmarks.benchmark import Benchmark
from evals.records import Record, RunFile
from evals.task import Task, digest_of


def choose_tasks(tasks: list[Task], sample: int | None = None, seed: int = 0, limit: int | None = None) -> list[Task]:
    """The first `limit` tasks of `sample` that `seed` draws, in the published order."""
    if sample is not None and sample < len(tasks):
        chosen = sorted(random.Random(f"tasks/{seed}").sample(range(len(tasks)), sample))
        tasks = [tasks[index] for index in chosen]
    return tasks[:limit]


def generate(
    benchmark: Benchmark, tasks: list[Task], backend: Backend, file: Path, decoding: SamplingSettings, samples: int = 1
) -> Iterator[Record | None]:
    """Answer every task `samples` times and write the answers to `file`, in the order of the tasks.

    What is in the file already is not asked again. Yields a record for each new answer, None for each old one.

    Raises InputError when the file holds another run, or for a setting or a question the backend refuses.
    """
    run = describe_run(benchmark, tasks, backend, decoding, samples)
    asks = [AnswerRequest(task, sample, decoding, benchmark.stops) for task in tasks for sample in range(samples)]
    with RunFile(file, run) as output:
        yield from [None] * sum((ask.task.task_id, ask.sample) in output.done for ask in asks)
        missing = [ask for ask in asks if (ask.task.task_id, ask.sample) not in output.done]
        for batch in _batches(missing, backend.batch_size):
            for ask, answer in zip(batch, backend.answer(batch), strict=True):
                record = _record(benchmark, ask, answer, run)
                output.append(record, answer.seconds)
                yield record


def describe_run(
    benchmark: Benchmark, tasks: list[Task], backend: Backend, decoding: SamplingSettings, samples: int
) -> dict[str, Any]:
    """The settings, versions and hashes that every record of a run holds."""
    identity = backend.identity
    return {
        "label": identity.label,
        "benchmark": benchmark.name,
        "tasks": len(tasks),
        "tasks_sha256": digest_of(tasks),
        "samples": samples,
        "decoding": asdict(decoding),
        "backend": identity.settings,
        "model": identity.model,
        "versions": {
            "quickfill": metadata.version("quickfill"),
            "python": platform.python_version(),
            **identity.versions,
        },
    }


def _record(benchmark: Benchmark, ask: AnswerRequest, answer: ModelAnswer, run: dict[str, Any]) -> Record:
    completion = benchmark.truncate(ask.task, answer.text)
    return Record(
        task_id=ask.task.task_id,
        completion=completion,
        sample=ask.sample,
        raw=None if completion == answer.text else answer.text,
        finish_reason=answer.finish_reason,
        tokens=answer.tokens,
        passes=answer.passes,
        confidence=answer.confidence,
        task_sha256=ask.task.digest,
        run=run,
    )


def _batches(asks: Sequence[AnswerRequest], size: int) -> Iterator[Sequence[AnswerRequest]]:
    for start in range(0, len(asks), size):
        yield asks[start : start + size]
