"""Figures for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from evals.scoring.statistics import Comparison, Estimate
from evals.scoring.summary import Summary


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


def _estimate(column: Estimate | None, name: str) -> str:
    if column is None:
        return ""
    if name.startswith("edit similarity"):
        return f"{column.value:.3f} [{column.low:.3f}, {column.high:.3f}]"
    return f"{100 * column.value:.1f} % [{100 * column.low:.1f}, {100 * column.high:.1f}]"
