"""`quickfill eval report`: scored runs for people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coder.errors import InputError


def report(
    scored: Annotated[list[Path], typer.Argument(metavar="SCORED.json…", help="Scored runs of one benchmark.")],
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write one page with plots and failures.")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="Write tables.")] = None,
    tasks: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The benchmark's published file, where it is one of a file.")
    ] = None,
    failures: Annotated[int, typer.Option(min=0, help="The most failures of each run to show.")] = 50,
) -> None:
    """Show scored runs beside each other: figures, speed against quality, lengths, calibration, failures."""
    from rich.console import Console

    from evals.benchmarks.catalog import open_benchmark
    from evals.reports import documents
    from evals.reports.report import make_report
    from evals.run_files import read_scored
    from evals.tables import comparison_table, runs_table

    documents.require_extra()
    summaries = [read_scored(file) for file in scored]
    console = Console()
    try:
        by_id = {task.task_id: task for task in open_benchmark(summaries[0].benchmark, tasks).tasks()}
    except InputError as error:
        console.print(f"Lengths and differences are left out: {error}", style="yellow", markup=False)
        by_id = {}
    made = make_report(summaries, by_id, failures)
    if made.warning:
        console.print(made.warning, style="bold red", markup=False)
    console.print(runs_table(summaries))
    if made.comparisons:
        console.print(comparison_table(made.comparisons))
    for file, write in ((html, documents.html), (markdown, documents.markdown)):
        if file is not None:
            file.write_text(write(made), encoding="utf-8", newline="\n")
            console.print(f"wrote {file}", markup=False)
