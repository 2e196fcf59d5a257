"""Held-out holes of HumanEval, filled by a backend and judged by HumanEval's tests, in the sandbox."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.backends.backend import Backend, Decoding
from evals.benchmarks.benchmark import Benchmark
from evals.benchmarks.infilling import MultiLine, SingleLine
from evals.generation import choose_tasks, describe_run
from evals.progress import generate_with_progress, score_with_progress
from evals.run_files import RunFiles
from evals.scoring.summary import Summary, summarize
from evals.task import Task

BOTH = "both"
"""What the holes of all kinds together are called."""


@dataclass(frozen=True)
class Holes:
    """Holes of one kind."""

    kind: str
    benchmark: Benchmark
    tasks: list[Task]


def held_out_holes(each: int, seed: int = 0) -> list[Holes]:
    """So many single-line and so many multi-line holes, which `seed` draws."""
    benchmarks = {"single-line": SingleLine(), "multi-line": MultiLine()}
    return [Holes(kind, one, choose_tasks(one.tasks(), each, seed)) for kind, one in benchmarks.items()]


def fill_and_judge(
    backend: Backend, holes: Sequence[Holes], folder: Path, max_tokens: int, workers: int | None = None
) -> dict[str, Summary]:
    """The scored answers by kind of hole, and those of all kinds together.

    Answers and verdicts are kept in `folder`, named by the backend and by a hash of all that decides them: nothing is
    asked or executed twice, and other holes, weights or settings have files of their own.

    Raises SandboxError where programs cannot be run safely.
    """
    found: dict[str, Summary] = {}
    for one in holes:
        decoding = Decoding(max_tokens)
        run = describe_run(one.benchmark, one.tasks, backend, decoding, 1)
        key = hashlib.sha256(json.dumps(run, sort_keys=True).encode("ascii")).hexdigest()[:12]
        files = RunFiles(folder)
        answers = files.add(f"{backend.identity.label} {one.kind} {key}")
        generate_with_progress(one.benchmark, one.tasks, backend, answers, decoding, 1)
        found[one.kind] = score_with_progress(
            one.benchmark, one.tasks, answers, files.verdicts(answers), workers, allow_unsandboxed=False
        )
    results = [result for summary in found.values() for result in summary.results]
    return {**found, BOTH: summarize(BOTH, results, {"label": backend.identity.label})}
