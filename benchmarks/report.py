"""Figures on the terminal and in a file."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

import coder
from coder.engine import processor

Row = Mapping[str, object]

COLUMNS_IN_A_FILE = 120


def report_console() -> Console:
    """As wide as the terminal; wide enough for the tables where the output goes elsewhere."""
    return Console(width=None if sys.stdout.isatty() else COLUMNS_IN_A_FILE)


def print_rows(console: Console, title: str, rows: Sequence[Row]) -> None:
    """A table with a column for each key of the rows, which all have the same."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, value in rows[0].items():
        table.add_column(name.replace("_", " "), justify="left" if isinstance(value, str) else "right", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    console.print(table)


def print_figures(console: Console, title: str, figures: Row) -> None:
    """One line for each figure."""
    print_rows(console, title, [{"figure": name, "value": value} for name, value in figures.items()])


def write_json(file: Path, content: Row) -> None:
    """Write a report, floats with five significant digits."""
    file.write_text(json.dumps(_rounded(content), indent=2) + "\n", encoding="utf-8")


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value


PACKAGES = ("onnxruntime", "numpy", "tokenizers", "torch", "llama_cpp_python")


def machine() -> dict[str, object]:
    """Processor, its features, system and versions."""
    return {
        "processor": processor.name(),
        "cores": os.cpu_count(),
        "features": processor.features(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {"quickfill": coder.__version__}
        | {name: version for name in PACKAGES if (version := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
