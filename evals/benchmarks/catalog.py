"""The benchmarks by name."""

from __future__ import annotations

from pathlib import Path

from coder.errors import InputError
from evals.benchmarks.benchmark import Benchmark
from evals.benchmarks.bias import Bias
from evals.benchmarks.canitedit import CanItEdit
from evals.benchmarks.evalplus import HumanEvalPlus, MbppPlus
from evals.benchmarks.humaneval import HumanEval
from evals.benchmarks.infilling import MultiLine, RandomSpan, SingleLine
from evals.benchmarks.mbpp import Mbpp, MbppSanitized
from evals.benchmarks.multi_hole import MultiHole
from evals.benchmarks.repair import HumanEvalRepair
from evals.benchmarks.safim import SafimApi, SafimBlock, SafimControl

BENCHMARKS: dict[str, type[Benchmark]] = {
    benchmark.name: benchmark
    for benchmark in (
        HumanEval,
        HumanEvalPlus,
        SingleLine,
        MultiLine,
        RandomSpan,
        MultiHole,
        HumanEvalRepair,
        Mbpp,
        MbppSanitized,
        MbppPlus,
        SafimBlock,
        SafimControl,
        SafimApi,
        CanItEdit,
        Bias,
    )
}


def open_benchmark(name: str, file: Path | None = None) -> Benchmark:
    """The benchmark that `name` names, from its published file where one is given. Raises InputError."""
    if name not in BENCHMARKS:
        raise InputError(f"there is no benchmark {name!r}; there are: {', '.join(BENCHMARKS)}")
    return BENCHMARKS[name](file)
