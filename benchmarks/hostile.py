"""The worst case: files that are hard on whoever reads them, a real language server, and the time that answers take.

python -m benchmarks.hostile
"""

from __future__ import annotations

import asyncio
import base64
import random
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from pygls.exceptions import JsonRpcException

from benchmarks.lsp_editor import LspEditor, lsp_editor
from benchmarks.report import Row, machine, print_rows, report_console, write_json

BUDGETS_MS = (300, 1500)

CANCELLED_AFTER = 0.1
"""Seconds of work on a request before it is cancelled."""

NEXT_FILE = "def area(width, height):\n    return "


@dataclass(frozen=True)
class HostileFile:
    """A text with the cursor about its middle, or behind the first `place` where that is named."""

    name: str
    language: str
    text: str
    place: str = ""

    @property
    def cursor(self) -> int:
        if self.place:
            return self.text.index(self.place) + len(self.place)
        middle = len(self.text) // 2
        # In the middle of a word nothing is suggested.
        between = re.compile(r"[(\[,={>;]").search(self.text, middle, middle + 200)
        return between.end() if between else middle


def hostile_files(seed: int = 0) -> list[HostileFile]:
    """Return the twelve files, the same for a seed."""
    draw = random.Random(seed)
    calls = "".join(f"function f{n}(a,b){{return a*{n}+b[{n % 7}]}}var v{n}=f{n}({n},[1,2]);" for n in range(1200))
    functions = "".join(f"def f{n}(a, b):\n    total = a * {n} + b\n    return total\n\n\n" for n in range(4000))
    numbers = [draw.random() for _ in range(60_000)]
    json_rows = ",".join(
        f'{{"id":{n},"value":{value:.6f},"tags":["a","b"]}}' for n, value in enumerate(numbers[:20_000])
    )
    blob = base64.b64encode(draw.randbytes(150_000)).decode()
    bundle = ";\n".join(calls[start : start + 5000] for start in range(0, len(calls), 5000))
    return [
        HostileFile("63 kB of JavaScript in one line", "javascript", calls[:63_000]),
        HostileFile("minified bundle, lines of 5 kB", "javascript", bundle),
        HostileFile("JSON of 1 MB in one line", "json", f"[{json_rows}]"),
        HostileFile("20,000 lines of Python", "python", functions),
        HostileFile(
            "20,000 lines of CSV",
            "csv",
            "".join(f"{n},{x:.4f},{1 - x:.4f},ok\n" for n, x in enumerate(numbers[:20_000])),
        ),
        HostileFile(
            "list of 20,000 numbers in Python",
            "python",
            "VALUES = [\n" + "".join(f"    {x:.9f},\n" for x in numbers[:20_000]) + "]\n",
        ),
        HostileFile("4,000 nested brackets", "python", f"x = {'[(' * 2000}1{')]' * 2000}\n"),
        HostileFile(
            "1,500 nested blocks",
            "javascript",
            "".join(f"{' ' * n}if (a{n}) {{\n" for n in range(1500)) + "}\n" * 1500,
            place="if (a1499) {",
        ),
        HostileFile(
            "string of 200 kB",
            "python",
            f"import base64\n\nDATA = '{blob}'\n\n\ndef data():\n    return \n",
            place="    return ",
        ),
        HostileFile("inside a string of 200 kB", "python", f"DATA = '{blob}'\n"),
        HostileFile(
            "quotes never closed, 5,000 lines", "python", "text = '''\n" + 'she said "it\'s (fine]" {\n' * 5000
        ),
        HostileFile("40 kB of emoji in one line", "python", "names = [" + "'👩\u200d👩\u200d👧 é', " * 3000 + "]\n"),
    ]


async def answered_within(editor: LspEditor, file: HostileFile, invoked: bool) -> float:
    """Return the seconds from a first request in a file to its answer."""
    editor.open(file.text[: file.cursor], file.text[file.cursor :], file.language)
    start = time.perf_counter()
    await editor.ask(invoked=invoked)[1]
    seconds = time.perf_counter() - start
    editor.close()
    return seconds


async def next_after_cancel(editor: LspEditor, file: HostileFile) -> tuple[float, float]:
    """Return the seconds from a cancellation to its answer, and to that of a request in another file."""
    # One more line at the top, so that nothing is remembered of the request before.
    editor.open("\n" + file.text[: file.cursor], file.text[file.cursor :], file.language)
    number, answer = editor.ask(invoked=True)
    await asyncio.sleep(CANCELLED_AFTER)
    start = time.perf_counter()
    editor.cancel(number)
    editor.open(NEXT_FILE, "\n")
    _, following = editor.ask(invoked=True)
    with suppress(JsonRpcException, asyncio.CancelledError):
        await answer
    cancelled = time.perf_counter() - start
    await following
    return cancelled, time.perf_counter() - start


async def measure(files: list[HostileFile], state: Path, model: str) -> list[Row]:
    rows: list[dict[str, object]] = [{"file": file.name} for file in files]
    for budget in BUDGETS_MS:
        settings = {"model": model, "metrics": False, "budgetMs": budget}
        async with lsp_editor(settings, state / str(budget)) as (editor, _):
            await editor.ready()
            for row, file in zip(rows, files, strict=True):
                row[f"{budget}: typed"] = 1000.0 * await answered_within(editor, file, invoked=False)
                row[f"{budget}: asked"] = 1000.0 * await answered_within(editor, file, invoked=True)
                cancelled, following = await next_after_cancel(editor, file)
                row[f"{budget}: cancel"] = 1000.0 * cancelled
                row[f"{budget}: next"] = 1000.0 * following
    return list(rows)


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    model: Annotated[str, typer.Option(help="'embedded', a folder, or a hub id.")] = "embedded",
    only: Annotated[str, typer.Option(help="Files with this in their name.")] = "",
) -> None:
    """Measure, for each file and budget, milliseconds to the answer while typing and when asked for, and from a
    cancellation to its answer and to the answer in the next file."""
    files = [file for file in hostile_files() if only in file.name]
    with TemporaryDirectory() as state:
        rows = asyncio.run(measure(files, Path(state), model))
    print_rows(report_console(), "Milliseconds, by budgetMs", rows)
    if json is not None:
        write_json(json, {"rows": rows, "machine": machine()})


if __name__ == "__main__":
    typer.run(main)
