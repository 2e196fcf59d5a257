"""Measure the speed and memory of making a corpus, and what remains: `python -m benchmarks.corpus --json FILE`."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import psutil
import typer

from benchmarks.report import Row, machine, print_rows, report_console, write_json
from data.building import Built, Ended, Started, build
from data.card import CorpusCard
from data.settings import CorpusSettings, StandardLibrarySettings, read_settings
from data.tally import Tally

CONFIG = Path(__file__).parents[1] / "data" / "configs" / "python.toml"
SECONDS_BETWEEN_LOOKS = 0.2
CLOCK_TICK = 0.01
"""Seconds; systems count processor time no finer."""


@dataclass(frozen=True)
class Measured:
    """A stage. processor_seconds: of all processes together, which what else the machine does changes least."""

    name: str
    tally: Tally
    seconds: float
    processor_seconds: float
    peak_bytes: int


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    config: Annotated[Path, typer.Option(help="What the corpus is made of.")] = CONFIG,
    cache: Annotated[Path | None, typer.Option(help="Where downloaded packages are kept.")] = None,
    out: Annotated[Path | None, typer.Option(help="Keep the corpus in this new folder.")] = None,
    processes: Annotated[int, typer.Option(help="Processors to use.")] = 2,
    quick: Annotated[bool, typer.Option(help="The standard library alone.")] = False,
) -> None:
    """Build a corpus and measure every stage of it."""
    console = report_console()
    settings = CorpusSettings(sources=(StandardLibrarySettings(kind="standard-library"),)) if quick else None
    settings = settings or read_settings(config)
    settings = settings if cache is None else settings.model_copy(update={"cache": cache})
    with tempfile.TemporaryDirectory() as folder, console.status("building"):
        stages, card = measure(settings, out or Path(folder) / "corpus", processes)
    rows = [row(stage) for stage in stages]
    print_rows(console, f"stages, {processes} processes", rows)
    print_rows(console, "from files to documents", [funnel(stage) for stage in stages])
    splits: list[Row] = [{"split": name, **counts} for name, counts in card.splits.items()]
    print_rows(console, "splits", splits)
    if json is not None:
        report = {"processes": processes, "stages": rows, "splits": splits, "card": card.as_json()}
        write_json(json, {**report, "machine": machine()})


def measure(settings: CorpusSettings, out: Path, processes: int) -> tuple[list[Measured], CorpusCard]:
    """Build it, and what each stage took."""
    stages: list[Measured] = []
    began, processor_began = time.perf_counter(), processor_seconds()
    with peak_memory() as peak:
        for event in build(settings, out, processes):
            match event:
                case Started():
                    began, processor_began = time.perf_counter(), processor_seconds()
                    peak.begin()
                case Ended(stage, tally):
                    seconds, used = time.perf_counter() - began, processor_seconds() - processor_began
                    stages.append(Measured(stage.name, tally, seconds, used, peak.bytes))
                case Built(card):
                    return stages, card
    raise AssertionError("a build ends with a corpus or an error")


def row(stage: Measured) -> Row:
    megabytes = stage.tally.bytes_in / 1e6
    return {
        "stage": stage.name,
        "seconds": stage.seconds,
        "MB_per_second": megabytes / stage.seconds,
        "MB_per_processor_second": megabytes / max(stage.processor_seconds, CLOCK_TICK),
        "peak_MB": round(stage.peak_bytes / 1e6),
    }


def funnel(stage: Measured) -> Row:
    tally = stage.tally
    return {
        "stage": stage.name,
        "in": f"{tally.documents_in:,}",
        "out": f"{tally.documents_out:,}",
        "MB out": f"{tally.bytes_out / 1e6:,.1f}",
    }


def processor_seconds() -> float:
    """Of this process and those that it started and that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


class Peak:
    """The most memory that this process and those it started held at a time, since `begin`."""

    def __init__(self) -> None:
        self.bytes = 0

    def begin(self) -> None:
        self.bytes = 0
        self.look()

    def look(self) -> None:
        held = 0
        this = psutil.Process()
        for process in (this, *this.children(recursive=True)):
            try:
                held += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        self.bytes = max(self.bytes, held)


@contextmanager
def peak_memory() -> Iterator[Peak]:
    peak, done = Peak(), threading.Event()

    def watch() -> None:
        while not done.wait(SECONDS_BETWEEN_LOOKS):
            peak.look()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


if __name__ == "__main__":
    typer.run(main)
