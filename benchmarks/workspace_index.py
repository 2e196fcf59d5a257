"""Measure what knowing the workspace gains: `python -m benchmarks.workspace_index --json FILE`."""

from __future__ import annotations

import ast
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer
from scipy.stats import bootstrap

from benchmarks.held_out_packages import HELD_OUT_PACKAGES, HeldOutPackage, held_out_package
from benchmarks.report import Row, machine, print_figures, print_rows, report_console, write_json
from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, Decoding, Where
from coder.context.files import source_files
from coder.context.workspace_index import WorkspaceIndex
from coder.engine.engine import Engine
from coder.generation.prompting import Prompting
from coder.model.checkpoint.opening import EMBEDDED

SOURCES = ("off", "file", "package")
"""What is known besides the model's window: nothing; the rest of the open file; the rest of the package as well."""

MAX_TOKENS = 48
CONFIDENCE = 0.95
LONGEST_LINE, SHORTEST_CODE = 120, 6


@dataclass(frozen=True)
class NextLine:
    """A line of a file that is to be written again: the cursor stands where its code begins, or inside it."""

    request: CompletionRequest
    line: str


@dataclass(frozen=True)
class Attempt:
    """Whether a line was written as it stands in the file, in how many tokens and passes."""

    exact: bool
    tokens: int
    passes: int


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    lines: Annotated[int, typer.Option(help="Lines of each package.")] = 100,
    policy: Annotated[str, typer.Option(help="How to decode.")] = "lookup:8",
    inside: Annotated[bool, typer.Option(help="Begin at any place inside the line, words included.")] = False,
    packages: Annotated[str, typer.Option(help="Installed packages, with commas between.")] = ",".join(
        HELD_OUT_PACKAGES
    ),
    seed: Annotated[int, typer.Option(help="Chooses the lines.")] = 0,
    model: Annotated[str, typer.Option(help="'embedded', a folder, or a hub id.")] = EMBEDDED,
) -> None:
    """Write lines of packages that the model has not seen again, with and without an index of their other files."""
    console = report_console()
    attempts: dict[str, list[Attempt]] = {source: [] for source in SOURCES}
    rows: list[Row] = []
    costs: list[Row] = []
    milliseconds: list[float] = []
    with console.status("loading the model") as status, TemporaryDirectory() as empty:
        engine = Engine.load(model)
        for name in packages.split(","):
            package = held_out_package(name)
            costs.append(index_costs(package))
            engine.workspace_index(str(package.folder)).wait()
            of_package: dict[str, list[Attempt]] = {source: [] for source in SOURCES}
            workspaces = {"off": None, "file": empty, "package": str(package.folder)}
            for number, next_line in enumerate(next_lines(package, lines, policy, inside, seed)):
                status.update(f"{name}, line {number} of {lines}")
                for source in SOURCES:
                    request = replace(
                        next_line.request, where=replace(next_line.request.where, workspace=workspaces[source])
                    )
                    of_package[source].append(write_line(engine, request, next_line.line))
            for source in SOURCES:
                rows.append({"package": f"{name} {package.version}", "known": source, **summary(of_package[source])})
                attempts[source] += of_package[source]
            milliseconds.append(milliseconds_per_line(engine, package, lines, inside, seed))
        engine.close()
    rows += [{"package": "all", "known": source, **summary(attempts[source])} for source in SOURCES]
    figures = compared(attempts["off"], attempts["package"]) | {"index_ms_per_line": mean(milliseconds)}
    print_rows(console, f"lines of held-out packages, {policy}", rows)
    print_rows(console, "the index", costs)
    print_figures(console, "an index of the package, against none", figures)
    if json is not None:
        write_json(json, {**figures, "policy": policy, "machine": machine(), "tables": {"lines": rows, "index": costs}})


def next_lines(package: HeldOutPackage, count: int, policy: str, inside: bool, seed: int) -> list[NextLine]:
    """Lines of code drawn from all files alike, by `seed`."""
    places = [
        (file, number)
        for file in sorted(set(package.files) & set(source_files(package.folder)))
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines())
        if number + 1 in code_lines(file) and len(line.strip()) >= SHORTEST_CODE and len(line) <= LONGEST_LINE
    ]
    generator = random.Random(f"{seed} {package.name}")
    chosen = []
    for file, number in generator.sample(places, min(count, len(places))):
        text = file.read_text(encoding="utf-8")
        lines = text.splitlines(keepends=True)
        line = lines[number].rstrip("\r\n")
        column = len(line) - len(line.lstrip())
        if inside:
            column = generator.randint(column + 1, len(line.rstrip()) - 2)
        start = sum(map(len, lines[:number]))
        request = CompletionRequest(
            prefix=text[: start + column],
            suffix=text[start + len(line) :],
            where=Where(path=str(file)),
            decoding=Decoding(policy=policy, max_tokens=MAX_TOKENS),
        )
        chosen.append(NextLine(request, line[column:].rstrip()))
    return chosen


@lru_cache
def code_lines(file: Path) -> frozenset[int]:
    """The lines, counted from 1, that are neither comments nor part of a text that stands alone, like a docstring."""
    text = file.read_text(encoding="utf-8")
    texts = {
        number
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    lines = enumerate(text.splitlines(), start=1)
    return frozenset(number for number, line in lines if number not in texts and not line.lstrip().startswith("#"))


def write_line(engine: Engine, request: CompletionRequest, line: str) -> Attempt:
    """Complete until the first line is done; the passes are those it took until then."""
    tokens = passes = 0
    text = ""
    for event in engine.stream(request):
        if isinstance(event, CanvasUpdate):
            text, tokens, passes = event.settled, event.tokens, event.passes
        elif isinstance(event, Completion):
            text, tokens, passes = event.text, event.tokens, event.passes
        if "\n" in text.lstrip("\n"):
            break
    return Attempt(text.partition("\n")[0].rstrip() == line, tokens, passes)


def summary(attempts: Sequence[Attempt]) -> dict[str, object]:
    exact = np.array([attempt.exact for attempt in attempts], float)
    tokens, passes = np.array([(attempt.tokens, attempt.passes) for attempt in attempts], float).T
    return {
        "lines": len(attempts),
        "exact": float(exact.mean()),
        "exact_interval": interval(exact),
        "tokens_per_pass": ratio(tokens, passes),
        "tokens_per_pass_interval": interval(tokens, passes),
    }


def compared(without: Sequence[Attempt], known: Sequence[Attempt]) -> dict[str, object]:
    """The figures with and without, and the gain line by line, each with its interval."""
    gained = np.array([after.exact - before.exact for before, after in zip(without, known, strict=True)], float)
    off, on = summary(without), summary(known)
    return {
        "lines": len(without),
        "exact_off": off["exact"],
        "exact_on": on["exact"],
        "exact_gain": float(gained.mean()),
        "exact_gain_interval": interval(gained),
        "lines_won": int((gained > 0).sum()),
        "lines_lost": int((gained < 0).sum()),
        "tokens_per_pass_off": off["tokens_per_pass"],
        "tokens_per_pass_on": on["tokens_per_pass"],
        "tokens_per_pass_on_interval": on["tokens_per_pass_interval"],
    }


def ratio(numerators: np.ndarray, denominators: np.ndarray, axis: int = -1) -> float | np.ndarray:
    return numerators.sum(axis=axis) / denominators.sum(axis=axis)


def interval(*values: np.ndarray) -> str | None:
    """The 95 % bootstrap interval (percentiles, lines drawn anew) of a mean, or of the ratio of two sums."""
    if len(values[0]) < 2:
        return None
    statistic = np.mean if len(values) == 1 else ratio
    result = bootstrap(
        values, statistic, paired=True, method="percentile", confidence_level=CONFIDENCE, n_resamples=2000, rng=0
    )
    return f"{result.confidence_interval.low:.3f} to {result.confidence_interval.high:.3f}"


def index_costs(package: HeldOutPackage) -> dict[str, object]:
    """A package's index by itself: what building it takes and what it holds."""
    index = WorkspaceIndex(package.folder)
    start = time.perf_counter()
    index.refresh()
    index.wait()
    milliseconds = 1000.0 * (time.perf_counter() - start)
    state = index.state
    index.close()
    return {
        "package": package.name,
        "files": state.files,
        "words": state.words,
        "build_ms": milliseconds,
        "megabytes": state.bytes / 1e6,
    }


def milliseconds_per_line(engine: Engine, package: HeldOutPackage, count: int, inside: bool, seed: int) -> float:
    """The time of the index itself for a line: putting the open text beside it, and a question before each token."""
    tokenizer = engine.checkpoint.tokenizer
    prompting = Prompting(engine.config, tokenizer)
    prompting.workspaces.at(package.folder).wait()
    slot = np.zeros(1, np.int64)
    seconds = 0.0
    chosen = next_lines(package, count, "lookup", inside, seed)
    for next_line in chosen:
        request = replace(next_line.request, where=replace(next_line.request.where, workspace=str(package.folder)))
        tokens, line = tokenizer.encode(request.prefix[-1000:]), tokenizer.encode(next_line.line)
        start = time.perf_counter()
        guide = prompting.guide(request.where, request.prefix, request.suffix)
        assert guide is not None
        for place in range(len(line) + 1):
            guide.bias([*tokens, *line[:place]], np.zeros(0, np.int64), slot)
        seconds += time.perf_counter() - start
    prompting.workspaces.close()
    return 1000.0 * seconds / len(chosen)


if __name__ == "__main__":
    typer.run(main)
