"""The benchmarks by name."""

from __future__ import annotations

from pathlib import Path

from coder.errors import InputError
from evals.benchmarks.benchmark import Benchmark
from evals.benchmarks.humaneval import HumanEval
from evals.benchmarks.infilling import MultiLine, RandomSpan, SingleLine

BENCHMARKS: dict[str, type[Benchmark]] = {
    benchmark.name: benchmark for benchmark in (HumanEval, SingleLine, MultiLine, RandomSpan)
}


def open_benchmark(name: str, file: Path | None = None) -> Benchmark:
    """The benchmark that `name` names, from its published file where one is given. Raises InputError."""
    if name not in BENCHMARKS:
        raise InputError(f"there is no benchmark {name!r}; there are: {', '.join(BENCHMARKS)}")
    return BENCHMARKS[name](file)
