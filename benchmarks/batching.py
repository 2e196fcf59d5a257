"""Measure several requests together: `python -m benchmarks.batching --json FILE`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from benchmarks.prompts import cut_holes, project_code
from benchmarks.report import Row, machine, print_rows, report_console, write_json
from benchmarks.timing import milliseconds
from coder.api.completion import CompletionRequest, Decoding
from coder.engine.engine import Engine
from coder.model.checkpoint.opening import EMBEDDED
from coder.model.onnx.runtime import available_cores

WIDTHS = (1, 2, 4, 8)
Method = tuple[str, int | None]

METHODS: tuple[Method, ...] = (("autoregressive", None), ("verified", 4), ("threshold:0.9", 16))
"""Policy and canvas size."""

MAX_TOKENS = 32

REQUESTS = 16
"""So many that the engine's pool has forgotten the first one's cache when all were answered: every round prefills."""


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    quick: Annotated[bool, typer.Option(help="One round.")] = False,
    model: Annotated[str, typer.Option(help="'embedded', a folder, or a hub id.")] = EMBEDDED,
    runtime: Annotated[str, typer.Option(help="'onnx' or 'torch'.")] = "onnx",
    threads: Annotated[int, typer.Option(help="Threads for the model.")] = available_cores(),
) -> None:
    """Measure the throughput of `Engine.complete_many` by the number of requests worked on together."""
    console = report_console()
    with console.status("loading") as status:
        engine = Engine.load(model, runtime="torch" if runtime == "torch" else "onnx", threads=threads)
        rows = measure(engine, METHODS, REQUESTS, 1 if quick else 3, status.update)
        engine.close()
    print_rows(console, f"{REQUESTS} requests, prefill included", rows)
    if json is not None:
        write_json(json, {"throughput": rows, "runtime": engine.description, "machine": machine()})


def measure(
    engine: Engine, methods: Sequence[Method], count: int, rounds: int, progress: Callable[[str], object]
) -> list[Row]:
    """A row for each method and width. The widths take turns, and each answers the same requests in each round."""
    rows: list[Row] = []
    for policy, canvas_size in methods:
        requests = [
            CompletionRequest(
                hole.prefix,
                hole.suffix,
                decoding=Decoding(policy=policy, canvas_size=canvas_size, max_tokens=MAX_TOKENS),
            )
            for hole in cut_holes(project_code(), count)
        ]
        progress(f"{policy}, canvas {canvas_size}")
        engine.complete_many(requests[:2], together=2)  # builds the graph for several
        times: dict[int, list[float]] = {width: [] for width in WIDTHS}
        for _, width in product(range(rounds), WIDTHS):
            times[width].append(milliseconds(partial(engine.complete_many, requests, together=width)))
        produced = sum(completion.tokens for completion in engine.complete_many(requests))
        rows += [_row(policy, canvas_size, width, produced, times) for width in WIDTHS]
    return rows


def _row(policy: str, canvas_size: int | None, width: int, count: int, times: dict[int, list[float]]) -> Row:
    """`ratio` is the median over rounds of how much faster than one by one."""
    return {
        "policy": policy,
        "canvas_size": canvas_size,
        "together": width,
        "tokens_per_second": 1000.0 * count / median(times[width]),
        "ratio": median(alone / mine for alone, mine in zip(times[1], times[width], strict=True)),
    }


if __name__ == "__main__":
    typer.run(main)
