"""A build on the screen: bars on standard error while it goes on, tables on standard output when it is done."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from data.building import Advanced, Ended, Event, Started
from data.card import funnel_rows, megabytes, read_card, split_rows
from data.pinning import Pinned
from data.steps.licence import UNSTATED
from data.tally import Tally, total


def show_build(events: Iterable[Event]) -> None:
    """Follow a build to its end."""
    with Progress(
        TextColumn("{task.description:14}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
    ) as bar:
        row, tallies = TaskID(0), [Tally()]
        for event in events:
            match event:
                case Started(stage, shards):
                    row, tallies = bar.add_task(stage.name, total=shards, note=stage.title), []
                case Advanced(_, tally):
                    tallies.append(tally)
                    bar.update(row, advance=1, note=_so_far(total(tallies)))
                case Ended(_, tally, again):
                    note = f"{_so_far(tally)}, done before" if again else _so_far(tally)
                    bar.update(row, total=1, completed=1, note=note)


def show_card(folder: Path) -> None:
    """The card of a finished corpus. Raises InputError."""
    card = read_card(folder)
    console = Console()
    for heading, rows in (
        (("step", "in", "out", "MB out", "dropped, and why"), funnel_rows(card)),
        (("split", "documents", "of them tests", "MB", "tokens"), split_rows(card)),
    ):
        table = Table(*heading, box=None, pad_edge=False)
        for row in rows:
            table.add_row(*row)
        console.print(table)
        console.print()
    last = list(card.stages.values())[-1]
    if unstated := last.licenses.get(UNSTATED):
        note = f"note: nothing states the licence of {unstated:,} documents; keep this corpus to yourself, or state it"
        Console(stderr=True).print(note)


def show_pinning(packages: Iterable[Pinned]) -> None:
    """Follow the pinning of a list: a line for every package that cannot stay."""
    kept, dropped = 0, 0
    with Progress(TextColumn("{task.description}"), console=Console(stderr=True)) as bar:
        row = bar.add_task("packages")
        for package in packages:
            bar.update(row, description=f"{package.pin.name} {package.pin.version}: {package.license}")
            kept, dropped = kept + package.is_permissive, dropped + (not package.is_permissive)
            if not package.is_permissive:
                bar.console.print(f"not permissive: {package.pin.name} ({package.license or 'no licence stated'})")
    Console().print(f"{kept} packages pinned, {dropped} left out")


def _so_far(tally: Tally) -> str:
    dropped = tally.documents_in - tally.documents_out
    so_far = f"{tally.documents_out:,} documents, {megabytes(tally.bytes_out)} MB"
    return f"{so_far}, {dropped:,} dropped" if dropped else so_far
