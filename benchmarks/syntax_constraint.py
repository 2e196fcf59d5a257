"""What syntax as a constraint gains: `python -m benchmarks.syntax_constraint --json FILE`. The README explains it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from scipy.stats import binomtest

from benchmarks.code_holes import KINDS, SolutionHole, human_eval_holes
from benchmarks.machine import machine
from benchmarks.report import Row, print_rows, report_console, write_json
from coder.api.completion import Completion, CompletionRequest
from coder.engine.engine import Engine
from coder.model.checkpoint.opening import EMBEDDED
from coder.syntax.soundness import is_sound
from evals.scoring.statistics import estimate


@dataclass(frozen=True)
class Answer:
    """What became of a hole: whether the joined text is sound, whether the answer is what stood there, and its cost."""

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
        hole.prefix, hole.suffix, language="python", policy=policy, max_tokens=max_tokens, syntax_rounds=rounds
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


if __name__ == "__main__":
    typer.run(main)
