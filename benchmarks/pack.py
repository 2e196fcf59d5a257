"""Measure how fast training examples are made: `python -m benchmarks.pack --json FILE`."""

from __future__ import annotations

import os
import sysconfig
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import psutil
import pyarrow as pa
import typer
from pyarrow import parquet

from benchmarks.report import Row, machine, print_figures, print_rows, report_console, write_json
from coder.model.checkpoint.opening import EMBEDDED
from coder.train.packed_rows import RowsCard, read_card
from data.pack.batches import COLUMNS, Batch, batches
from data.pack.packing import Packed, PackingJob, pack
from data.pack.settings import read_settings
from data.pack.text import SourceText

MEGABYTE = 1_000_000
QUICK_BATCHES = 2
POLL_SECONDS = 0.1
ROW_GROUP_FILES = 100


def main(
    source: Annotated[
        list[Path] | None, typer.Option(help="Shards or folders; by default the standard library of this Python.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    quick: Annotated[bool, typer.Option(help="The first batches only.")] = False,
    config: Annotated[Path | None, typer.Option(help="As of `quickfill data pack`.")] = None,
    model: Annotated[str, typer.Option(help="Whose tokenizer to use.")] = EMBEDDED,
) -> None:
    """Pack the same sources with one process and with one a core: tokens and megabytes a second, memory, fill."""
    console = report_console()
    figures: dict[str, object] = {}
    with TemporaryDirectory() as folder:
        found = list(batches(source or [write_standard_library(Path(folder) / "train-00000.parquet")]))
        found = found[:QUICK_BATCHES] if quick else found
        for processes in (1, os.cpu_count() or 1):
            out = Path(folder) / str(processes)
            job = PackingJob.of(model, out, read_settings(config))
            figures |= {f"{name}_{processes}": value for name, value in measure(found, job, processes).items()}
        card = read_card(out)
    figures["fill"] = card.fill
    print_figures(console, "packing, by processes", figures)
    kinds = shares(card)
    print_rows(console, "kinds", kinds)
    if json is not None:
        write_json(json, {**figures, "kinds": kinds, "machine": machine()})


def write_standard_library(file: Path) -> Path:
    """A shard as a corpus has it, of what `sysconfig` calls the standard library, tests and installed packages left
    out."""
    root, files = Path(sysconfig.get_path("stdlib")), []
    for path in sorted(root.rglob("*.py")):
        inside = path.relative_to(root)
        if not {"site-packages", "test", "tests"}.intersection(inside.parts):
            text = path.read_text(encoding="utf-8", errors="replace")
            files.append(SourceText(text, "python", inside.as_posix(), "standard-library"))
    columns = {name: [getattr(source, name) for source in files] for name in COLUMNS}
    parquet.write_table(pa.table(columns), file, row_group_size=ROW_GROUP_FILES)
    return file


def measure(found: list[Batch], job: PackingJob, processes: int) -> dict[str, float]:
    """Rates over the whole run, the processes' start included; megabytes of text, and the most memory of them all."""
    done = threading.Event()
    peak: list[int] = [0]
    watcher = threading.Thread(target=_watch, args=(done, peak), daemon=True)
    watcher.start()
    started = time.perf_counter()
    packed: list[Packed] = list(pack(found, job, processes))
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    tokens = sum(one.shard.tokens for one in packed if one.shard is not None)
    megabytes = sum(one.characters for one in packed) / MEGABYTE
    return {
        "tokens_per_second": tokens / seconds,
        "megabytes_per_second": megabytes / seconds,
        "peak_mb": peak[0] / MEGABYTE,
    }


def shares(card: RowsCard) -> list[Row]:
    """Of documents and of tokens, by kind."""
    total = sum(count.documents for count in card.kinds.values())
    return [
        {"kind": name, "documents": count.documents / total, "tokens": count.tokens / card.tokens}
        for name, count in card.kinds.items()
    ]


def _watch(done: threading.Event, peak: list[int]) -> None:
    own = psutil.Process()
    while not done.wait(POLL_SECONDS):
        memory = 0
        for process in [own, *own.children(recursive=True)]:
            try:
                memory += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        peak[0] = max(peak[0], memory)


if __name__ == "__main__":
    typer.run(main)
