"""HumanEval-Infilling: HumanEval's solutions with a hole.

Single-line and multi-line holes are made anew from HumanEval, byte for byte what is published: a line break stands
before the first line of a solution and behind every line of the text in front of a hole, so a hole that begins with the
first line has an empty line before it. Random spans are drawn here with a seed of our own, as their published
counterparts are drawn; the published files of any of them can be read instead (`--tasks FILE`).
"""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

from coder.api.stopping import MISPLACED, stopping_of
from evals.benchmarks.benchmark import Benchmark, columns, read_json_lines
from evals.benchmarks.humaneval import problems
from evals.task import Infill, Task

SOURCE = "Bavarian et al. 2022, Efficient Training of Language Models to Fill in the Middle, arXiv:2207.14255"
LINE_SOURCE = f"{SOURCE}; the holes after Fried et al. 2022, InCoder, arXiv:2204.05999"

SPAN_SEED = 20220714
"""The seed of the random spans."""

SPANS = 10
"""Random spans of a function, as published."""


class InfillingBenchmark(Benchmark):
    """Holes in HumanEval, from a published file or made anew."""

    whole_lines: ClassVar[bool] = False
    one_line: ClassVar[bool] = False

    def tasks(self) -> list[Task]:
        rows = read_json_lines(self.file) if self.file else self.rows()
        return [self._task(row) for row in rows]

    @abstractmethod
    def rows(self) -> Iterator[dict[str, str]]:
        """The tasks as rows of the published file."""

    def measures(self, task: Task, answer: str) -> dict[str, bool]:
        """Return whether the answer stops too early or too late beside the text that stood there."""
        stopping = stopping_of(answer, task.canonical)
        return {name: stopping == name for name in MISPLACED}

    def _task(self, row: dict[str, Any]) -> Task:
        names = ("task_id", "prompt", "suffix", "canonical_solution", "test", "entry_point")
        task_id, prefix, suffix, middle, test, entry_point = columns(row, self.file, *names)
        question = Infill(prefix, suffix, self.whole_lines, self.one_line)
        return Task(task_id, question, middle, test, entry_point, helpers=prefix + middle + suffix)


class SingleLine(InfillingBenchmark):
    name = "humaneval-infilling-single-line"
    description = "1,033 single lines of HumanEval's solutions"
    source = LINE_SOURCE
    whole_lines = True
    one_line = True

    def rows(self) -> Iterator[dict[str, str]]:
        for problem in problems():
            for line in code_lines(problem):
                yield line_hole(problem, line, line, f"SingleLineInfilling/{problem['task_id']}/L{line}")


class MultiLine(InfillingBenchmark):
    name = "humaneval-infilling-multi-line"
    description = "5,815 runs of lines of HumanEval's solutions"
    source = LINE_SOURCE
    whole_lines = True

    def rows(self) -> Iterator[dict[str, str]]:
        for problem in problems():
            lines = code_lines(problem)
            for index, first in enumerate(lines):
                for last in lines[index:]:
                    task_id = f"MultiLineInfilling/{problem['task_id']}/L{first}_L{last}"
                    yield line_hole(problem, first, last, task_id)


class RandomSpan(InfillingBenchmark):
    name = "humaneval-infilling-random-span"
    description = f"1,640 random spans of HumanEval's solutions, seed {SPAN_SEED}"
    source = SOURCE

    def rows(self) -> Iterator[dict[str, str]]:
        for problem in problems():
            generator = random.Random(f"{SPAN_SEED}/{problem['task_id']}")
            solution = problem["canonical_solution"]
            for number in range(1, SPANS + 1):
                start, end = sorted(generator.sample(range(len(solution) + 1), 2))
                yield {
                    "task_id": f"RandomSpanInfilling/{problem['task_id']}/{number}",
                    "entry_point": problem["entry_point"],
                    "prompt": problem["prompt"] + solution[:start],
                    "suffix": solution[end:],
                    "canonical_solution": solution[start:end],
                    "test": problem["test"],
                }


def code_lines(problem: dict[str, Any]) -> list[int]:
    """The numbers of a solution's lines that are not blank, from 0."""
    return [number for number, line in enumerate(problem["canonical_solution"].split("\n")) if line.strip()]


def line_hole(problem: dict[str, Any], first: int, last: int, task_id: str) -> dict[str, str]:
    """The lines `first` to `last` of a solution as a hole, in the published form."""
    lines = problem["canonical_solution"].split("\n")
    return {
        "task_id": task_id,
        "entry_point": problem["entry_point"],
        "prompt": problem["prompt"] + "\n".join(lines[:first]) + "\n",
        "suffix": "\n".join(lines[last + 1 :]),
        "canonical_solution": "\n".join(lines[first : last + 1]) + "\n",
        "test": problem["test"],
    }
