"""CanItEdit: a whole program to be changed as an instruction says, each in two wordings."""

from __future__ import annotations

from typing import Any

from evals.benchmarks.benchmark import Benchmark, columns, read_json_lines
from evals.task import InstructedRegion, Task

WORDINGS = ("descriptive", "lazy")


class CanItEdit(Benchmark):
    name = "canitedit"
    description = "105 programs to be changed, each by two instructions"
    source = "Cassano et al. 2024, Can It Edit?, arXiv:2312.12450"
    stops = ("## Code After:", "## Instruction:", "## Code Before:", "## Test Case:", "## Explanation:")
    max_tokens = 3072
    file_form = "the rows of nuprl/CanItEdit as JSON lines"
    packages = ("numpy", "pandas", "scipy", "torch", "sklearn", "vllm", "autograd", "z3")
    """The packages that its programs import; those that need one that is missing fail."""

    def tasks(self) -> list[Task]:
        assert self.file is not None
        return [task for row in read_json_lines(self.file) for task in self._tasks(row)]

    def _tasks(self, row: dict[str, Any]) -> list[Task]:
        names = ("full_name", "before", "after", "tests", *(f"instruction_{wording}" for wording in WORDINGS))
        name, before, after, tests, *instructions = columns(row, self.file, *names)
        return [
            Task(
                task_id=f"CanItEdit/{name}/{wording}",
                question=InstructedRegion(before, 0, len(before), instruction),
                canonical=after,
                test=tests,
                timeout_seconds=30.0,
            )
            for wording, instruction in zip(WORDINGS, instructions, strict=True)
        ]
