"""Figures for a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from evals.contamination import Overlap
from evals.scoring.statistics import Comparison, Estimate
from evals.scoring.summary import Summary, compare_with_first

MOST_ROWS = 40
"""The most tasks that a table on a terminal lists."""


WIDTH = 160
"""Of what is not printed on a terminal."""


def console() -> Console:
    """Standard output: as wide as the terminal is, or wide enough for every table."""
    return Console() if sys.stdout.isatty() else Console(width=WIDTH)


def print_comparison(summaries: Sequence[Summary]) -> None:
    """Print the figures of runs, and where there are several their differences from the first one."""
    console().print(runs_table(summaries))
    if comparisons := compare_with_first(summaries):
        console().print(comparison_table(comparisons))


def runs_table(summaries: Sequence[Summary]) -> Table:
    """A row a figure, a column a run: the figures of a run differ in kind, runs do not."""
    table = Table(title=summaries[0].benchmark, box=None, pad_edge=False, title_justify="left")
    table.add_column("")
    for summary in summaries:
        table.add_column(summary.label, justify="right")
    table.add_row("tasks", *(str(summary.tasks) for summary in summaries))
    for name in dict.fromkeys(name for summary in summaries for name in summary.columns):
        table.add_row(name, *(_estimate(summary.columns.get(name), name) for summary in summaries))
    for name in dict.fromkeys(name for summary in summaries for name in summary.plain):
        table.add_row(name, *(f"{summary.plain[name]:.2f}" if name in summary.plain else "" for summary in summaries))
    return table


def comparison_table(pairs: Sequence[tuple[str, str, Comparison]]) -> Table:
    """The second run less the first: difference of pass@1 in points, disagreements, McNemar's p."""
    table = Table(title="pass@1, paired", box=None, pad_edge=False, title_justify="left")
    for name in ("second", "less first", "points", "95 %", "only first", "only second", "McNemar p"):
        table.add_column(name, justify="left" if name in ("second", "less first") else "right")
    for first, second, found in pairs:
        difference = found.difference
        table.add_row(
            second,
            first,
            f"{100 * difference.value:+.1f}",
            f"{100 * difference.low:+.1f} to {100 * difference.high:+.1f}",
            str(found.only_first),
            str(found.only_second),
            "" if found.p_value is None else f"{found.p_value:.3g}",
        )
    return table


def overlap_table(name: str, overlaps: Sequence[Overlap], length: int) -> Table:
    """The tasks that share n-grams with a corpus, those that share most first."""
    found = [overlap for overlap in overlaps if overlap.found]
    title = f"{name}: {len(found)} of {len(overlaps)} tasks share {length}-grams with the corpus"
    table = Table(title=title, box=None, pad_edge=False, title_justify="left")
    for column in ("task", "share", "n-grams", "documents"):
        table.add_column(column, justify="left" if column == "task" else "right")
    for overlap in sorted(found, key=lambda overlap: -overlap.share)[:MOST_ROWS]:
        shown = f"{100 * overlap.share:.1f} %"
        table.add_row(overlap.task_id, shown, f"{overlap.found}/{overlap.total}", str(overlap.documents))
    return table


def _estimate(column: Estimate | None, name: str) -> str:
    if column is None:
        return ""
    if name.startswith("edit similarity"):
        return f"{column.value:.3f} [{column.low:.3f}, {column.high:.3f}]"
    return f"{100 * column.value:.1f} % [{100 * column.low:.1f}, {100 * column.high:.1f}]"
