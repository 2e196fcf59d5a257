"""Measure the memory of each process that holds the model: `python -m benchmarks.memory --json FILE`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import httpx
import psutil
import typer

from benchmarks.prompts import ROOT
from benchmarks.report import Row, machine, print_rows, report_console, write_json
from coder.api.completion import CompletionRequest, Decoding, Where
from lsp.engine.shared.identity import EngineIdentity
from lsp.engine.shared.opening import open_shared_engine

MEGABYTE = 1_000_000
PAUSE_SECONDS = 0.02
IDLE_SECONDS = 1.0
"""After the last request; the engine leaves then."""

FILES = sorted((ROOT / "coder").rglob("*.py"), key=lambda file: -file.stat().st_size)[:24]
"""Large files, so that contexts are as long as they get."""

PLACES = (0.3, 0.6, 0.9)
"""Shares of a file's lines behind which something is asked for."""

CLIENTS = 8

Measure = Callable[[str], tuple[int, int]]
"""From a model's name to the bytes at the peak and the number of requests."""


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    model: Annotated[str, typer.Option(help="'embedded', or a folder.")] = "embedded",
    together: Annotated[list[int] | None, typer.Option(help="Requests that `serve` works on at a time.")] = None,
) -> None:
    """Measure the peak of a single completion, of a shared engine after long work, and of a server under load."""
    rows: list[Row] = []
    measures: dict[str, Callable[[str], tuple[int, int]]] = {
        "complete": of_completion,
        "shared engine": of_shared_engine,
    }
    measures |= {f"serve --together {count}": partial(of_server, together=count) for count in together or (1, 8)}
    for name, measure in measures.items():
        peak, requests = measure(model)
        rows.append({"process": name, "requests": requests, "peak_mb": peak / MEGABYTE})
    print_rows(report_console(), "memory", rows)
    if json is not None:
        write_json(json, {"machine": machine(), "tables": {"memory": rows}})


def of_completion(model: str) -> tuple[int, int]:
    """Bytes at the peak of `quickfill complete`, and one request."""
    command = [quickfill(), "complete", "examples/averages.py:24", "--model", model]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process, watched(process.pid) as peak:
        process.wait()
    return peak(), 1


def of_shared_engine(model: str) -> tuple[int, int]:
    """Bytes at the peak of the process that editors share, and the requests it answered, one at a time."""
    # A model's name that no window uses, so that the engine is ours and not one that has worked before.
    engine = open_shared_engine(EngineIdentity.of(own_name(model)), idle_seconds=IDLE_SECONDS)
    process = next(child for child in psutil.Process().children() if "lsp.engine.shared" in child.cmdline())
    with watched(process.pid) as peak:
        requests = list(places())
        for request in requests:
            engine.complete(request)
    engine.close()
    process.wait()
    return peak(), len(requests)


def of_server(model: str, together: int) -> tuple[int, int]:
    """Bytes at the peak of `quickfill serve`, and the requests it answered, several at a time."""
    command = [quickfill(), "serve", "--port", "0", "--model", model, "--together", str(together)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        bodies = [{"prompt": place.prefix, "suffix": place.suffix, "max_tokens": 64} for place in places()]
        with watched(process.pid) as peak, ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(lambda body: httpx.post(f"{address}/v1/completions", json=body, timeout=600), bodies))
        process.terminate()
    return peak(), len(bodies)


def places() -> Iterator[CompletionRequest]:
    """Yield completions in many places of many files: every one of them is a new context."""
    for file in FILES:
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        for share in PLACES:
            line = int(share * len(lines))
            prefix, suffix = "".join(lines[:line]), "".join(lines[line + 1 :])
            yield CompletionRequest(prefix, suffix, Where(str(file)), decoding=Decoding(max_tokens=64))


@contextmanager
def watched(pid: int) -> Iterator[Callable[[], int]]:
    """Follow the physical memory of a process; what is yielded returns its peak in bytes."""
    process, peak, over = psutil.Process(pid), 0, threading.Event()

    def follow() -> None:
        nonlocal peak
        while not over.is_set():
            try:
                peak = max(peak, process.memory_info().rss)
            except psutil.Error:
                return
            time.sleep(PAUSE_SECONDS)

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield lambda: peak
    finally:
        over.set()
        follower.join()


def own_name(model: str) -> str:
    """Return a name of the same model that gives an engine of its own."""
    from coder.model.checkpoint.opening import find_checkpoint

    return str(find_checkpoint(model))


def quickfill() -> str:
    found = shutil.which("quickfill", path=str(Path(sys.executable).parent))
    assert found, "the benchmark needs the command; docs/install.md says how to install it"
    return found


if __name__ == "__main__":
    typer.run(main)
