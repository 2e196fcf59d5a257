"""Several holes of one function at once: two to four lines of a HumanEval solution, each without its indentation.

The lines are drawn by `SEED`, the task's name and the number of holes. A solution serves where it has more lines of
code than the task has holes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from evals.benchmarks.benchmark import Benchmark
from evals.benchmarks.humaneval import problems
from evals.benchmarks.infilling import code_lines
from evals.task import Holes, Task

SEED = 1
COUNTS = (2, 3, 4)


class MultiHole(Benchmark):
    name = "multi-hole"
    description = "two to four holes of one HumanEval solution at once"
    source = f"made from HumanEval (arXiv:2107.03374), seed {SEED}"
    max_tokens = 64

    def tasks(self) -> list[Task]:
        return [task for problem in problems() for task in _tasks(problem)]


def _tasks(problem: dict[str, Any]) -> Iterator[Task]:
    lines = code_lines(problem)
    for count in COUNTS:
        if len(lines) > count:
            task_id = f"MultiHole/{problem['task_id']}/{count}"
            chosen = sorted(random.Random(f"{SEED}/{task_id}").sample(lines, count))
            texts, middles = cut_lines(problem["prompt"], problem["canonical_solution"], chosen)
            between = "".join(middle + text for middle, text in zip(middles, texts[1:], strict=True))
            yield Task(
                task_id=task_id,
                question=Holes(texts),
                canonical=between.removesuffix(texts[-1]),
                test=problem["test"],
                entry_point=problem["entry_point"],
                helpers=problem["prompt"] + problem["canonical_solution"],
            )


def cut_lines(prompt: str, solution: str, chosen: list[int]) -> tuple[tuple[str, ...], list[str]]:
    """The texts around the chosen lines, whose indentations and line breaks they keep, and the lines themselves."""
    lines = solution.split("\n")
    texts, middles = [prompt], []
    for number, line in enumerate(lines):
        line_break = "\n" if number < len(lines) - 1 else ""
        if number in chosen:
            code = line.lstrip()
            texts[-1] += line[: len(line) - len(code)]
            middles.append(code)
            texts.append(line_break)
        else:
            texts[-1] += line + line_break
    return tuple(texts), middles
