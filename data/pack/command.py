"""`quickfill data pack` and `quickfill data show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coder.errors import InputError

ROWS_FILES = ("rows.json", ".rows.json", "*.tokens.npy", "*.roles.npy", "*.documents.npy")
"""Files of an earlier run."""

PACK_EPILOG = """
[bold]Examples[/bold]

quickfill data pack corpus/ --out rows         the training split of a corpus

quickfill data pack ~/my/project --out rows    the source files of a folder

quickfill data pack releases.txt --out rows    next edits, from consecutive releases of packages

quickfill data show rows                       some of them, readable
"""


def pack(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SHARDS…",
            help="Parquet shards, folders of them, folders of source files, or lists of releases (.txt).",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to be made.")],
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A TOML file with the shares of each kind.", exists=True, dir_okay=False),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another one gives other holes of the same text.")] = 0,
    row_length: Annotated[int | None, typer.Option(help="Tokens in a row; by default 1024.")] = None,
    processes: Annotated[int | None, typer.Option(min=1, help="At a time; by default one a core.")] = None,
    split: Annotated[str, typer.Option(help="Which documents of a corpus.")] = "train",
    model: Annotated[str, typer.Option(help="What will be trained: `embedded`, a folder or a hub id.")] = "embedded",
    force: Annotated[bool, typer.Option("--force", help="Replace rows that are there.")] = False,
) -> None:
    """Make training examples: holes as users leave them, other files around them, questions, edits, packed into rows.

    The rows are the same for the same sources, settings and seed, however many processes write them.
    """
    import os

    from rich.console import Console
    from rich.progress import track

    from coder.train.packed_rows import read_card
    from data.pack.batches import batches
    from data.pack.packing import PackingJob, pack
    from data.pack.settings import read_settings, with_row_length
    from data.pack.show import card_table

    _prepare(out, force)
    settings = with_row_length(read_settings(config), row_length)
    found = list(batches(sources, split))
    job = PackingJob.of(model, out, settings, seed)
    job.layout()  # a model that cannot be packed for is named before anything is done
    done = pack(found, job, processes or os.cpu_count() or 1)
    for _ in track(done, "packing", total=len(found), console=Console(stderr=True)):
        pass
    Console().print(card_table(read_card(out)))


def show(
    rows: Annotated[Path, typer.Argument(metavar="ROWS", help="A folder that `quickfill data pack` wrote.")],
    count: Annotated[int, typer.Option(min=1, help="How many rows to show, drawn at random.")] = 1,
    row: Annotated[int | None, typer.Option(min=0, help="Show this one.")] = None,
    seed: Annotated[int, typer.Option(help="Of the drawing.")] = 0,
    model: Annotated[str, typer.Option(help="Whose tokenizer the rows are in.")] = "embedded",
) -> None:
    """Print rows: the context dim, the middles in colour, the control tokens set off."""
    import random

    from rich.console import Console

    from coder.train.packed_rows import PackedRows
    from data.pack.packing import PackingJob
    from data.pack.settings import PackSettings
    from data.pack.show import card_table, row_view

    packed = PackedRows(rows)
    tokenizer = PackingJob.of(model, rows, PackSettings()).layout().tokenizer
    if tokenizer.digest != packed.card.vocabulary:
        raise InputError(f"{rows} was packed for another vocabulary than that of {model}; name its model (--model)")
    if row is not None and row >= len(packed):
        raise InputError(f"there is no row {row} in {rows}, which has {len(packed)}")
    drawn = random.Random(seed).sample(range(len(packed)), min(count, len(packed)))
    console = Console()
    console.print(card_table(packed.card))
    for number in [row] if row is not None else drawn:
        console.print(row_view(number, packed[number], tokenizer))


def _prepare(out: Path, force: bool) -> None:
    """Raises InputError where something is in the way."""
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; name a folder to be made")
    old = [file for pattern in ROWS_FILES for file in out.glob(pattern)]
    if old and not force:
        raise InputError(f"{out} holds packed rows already; replace them with --force, or name another folder")
    for file in old:
        file.unlink()
