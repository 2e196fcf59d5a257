"""`quickfill lsp`: the language server's command."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lsp.serving import serve, serve_standard_streams

if TYPE_CHECKING:
    from rich.table import Table

    from lsp.suggest.metrics import DayCounts

LOOPBACK = "127.0.0.1"

PERIODS = (("today", 1), ("7 days", 7), ("30 days", 30), ("ever", None))
"""Of the statistics: a name, and how many days."""

app = typer.Typer(add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


class LogLevel(StrEnum):
    error = "error"
    warning = "warning"
    info = "info"
    debug = "debug"


@app.callback(invoke_without_command=True)
def lsp(
    tcp: Annotated[
        int | None,
        typer.Option(metavar="PORT", min=0, max=65535, help="Serve one editor over TCP, on this machine only."),
    ] = None,
    stats: Annotated[bool, typer.Option("--stats", help="Print counts of suggestions, then exit.")] = False,
    adapter: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="An adapter made by `quickfill adapt`.",
            exists=True,
            dir_okay=False,
            resolve_path=True,
        ),
    ] = None,
    log_level: Annotated[LogLevel, typer.Option(help="Least level of logged messages.")] = LogLevel.warning,
) -> None:
    """Serve an editor (Language Server Protocol 3.18), over standard input and output."""
    if stats:
        print_statistics()
        return
    level = log_level.value.upper()
    raise typer.Exit(serve_standard_streams(level, adapter) if tcp is None else serve_tcp(tcp, level, adapter))


def serve_tcp(port: int, log_level: str, adapter: Path | None = None) -> int:
    """Wait for an editor on a port, 0 for any free one, and serve it."""
    with socket.create_server((LOOPBACK, port)) as listener:
        typer.echo(f"listening on {LOOPBACK}:{listener.getsockname()[1]}", err=True)
        connection, _ = listener.accept()
    with connection, connection.makefile("rb") as incoming, connection.makefile("wb") as outgoing:
        return serve(incoming, outgoing, log_level, adapter)


def print_statistics() -> None:
    from datetime import UTC, datetime

    from rich.console import Console

    from lsp.suggest.metrics import read_counts, state_folder

    today = datetime.now(UTC).astimezone().date()
    Console().print(statistics_table(list(read_counts(state_folder())), today))


def statistics_table(tallies: Sequence[DayCounts], today: date) -> Table:
    """Shown, accepted and the rest, and how long answers took, by period."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from lsp.suggest.metrics import total

    # Without borders nine columns fit into a terminal of 80 with their headings whole.
    title = "Suggestions, counted on this machine alone"
    table = Table(title=title, box=SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    table.add_column("", no_wrap=True)
    for heading in ("shown", "accepted", "partially", "typed", "dismissed", "rate", "p50 ms", "p95 ms"):
        table.add_column(heading, justify="right")
    for name, days in PERIODS:
        since = date.min if days is None else today - timedelta(days - 1)
        table.add_row(name, *_cells(total(tally for tally in tallies if tally.day >= since)))
    return table


def _cells(tally: DayCounts) -> list[str]:
    counts = tally.counts
    shown, accepted = counts["shown"], counts["accepted"]
    rate = f"{accepted / shown:.0%}" if shown else "-"
    latencies = (tally.latency_ms(0.5), tally.latency_ms(0.95))
    numbers = (shown, accepted, counts["partially_accepted"], counts["typed"], counts["dismissed"])
    return [*map(str, numbers), rate, *("-" if latency is None else f"{latency:.0f}" for latency in latencies)]
