"""`quickfill lsp --stats`: the local metrics as a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from rich.table import Table

from lsp.suggest.metrics import Tally, total

PERIODS = (("today", 1), ("7 days", 7), ("30 days", 30), ("ever", None))


def statistics_table(tallies: Sequence[Tally], today: date) -> Table:
    """Shown, accepted and the rest, and how long answers took, by period."""
    table = Table(title="Suggestions, counted on this machine alone")
    table.add_column("", no_wrap=True)
    for heading in ("shown", "accepted", "partially", "typed", "dismissed", "rate", "p50 ms", "p95 ms"):
        table.add_column(heading, justify="right")
    for name, days in PERIODS:
        since = date.min if days is None else today - timedelta(days - 1)
        table.add_row(name, *_cells(total(tally for tally in tallies if tally.day >= since)))
    return table


def _cells(tally: Tally) -> list[str]:
    counts = tally.counts
    shown, accepted = counts["shown"], counts["accepted"]
    rate = f"{accepted / shown:.0%}" if shown else "-"
    latencies = (tally.latency_ms(0.5), tally.latency_ms(0.95))
    numbers = (shown, accepted, counts["partially_accepted"], counts["typed"], counts["dismissed"])
    return [*map(str, numbers), rate, *("-" if latency is None else f"{latency:.0f}" for latency in latencies)]
