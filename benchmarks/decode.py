"""Decoding speed: `python -m benchmarks.decode --json FILE`. The README beside this file explains the figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.decoding_benchmark import QUICK, DecodingBenchmark, Plan
from benchmarks.machine import machine
from benchmarks.report import print_figures, print_rows, report_console, write_json
from coder.model.checkpoint.opening import EMBEDDED, open_checkpoint
from coder.model.onnx.runtime import available_cores


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    quick: Annotated[bool, typer.Option(help="One context length, one canvas size, few prompts.")] = False,
    model: Annotated[str, typer.Option(help="'embedded', a folder, or a hub id.")] = EMBEDDED,
    threads: Annotated[int, typer.Option(help="Threads for the model, and for llama.cpp.")] = available_cores(),
) -> None:
    """Measure how fast each decoding policy is on this machine, beside plain autoregressive decoding and llama.cpp."""
    console = report_console()
    with console.status("loading") as status:
        benchmark = DecodingBenchmark(open_checkpoint(model), QUICK if quick else Plan(), threads)
        report = benchmark.report(progress=status.update)
    for name, rows in report.tables.items():
        print_rows(console, name.replace("_", " "), rows)
    print_figures(console, "headline", report.figures)
    if json is not None:
        details = {"auto": report.auto, "runtime": report.runtime, "machine": machine(), "tables": report.tables}
        write_json(json, report.figures | details)


if __name__ == "__main__":
    typer.run(main)
