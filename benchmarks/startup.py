"""Measure imports, loading and installing: `python -m benchmarks.startup --json FILE`."""

from __future__ import annotations

import json as jsons
import os
import subprocess
import sys
import venv
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from benchmarks.prompts import ROOT
from benchmarks.report import Row, machine, print_figures, print_rows, report_console, write_json
from coder.model.checkpoint.opening import EMBEDDED, find_checkpoint

MEGABYTE = 1_000_000

LOAD = """
import json, sys, time
start = time.perf_counter()
import coder
imported = time.perf_counter()
from coder.engine.engine import Engine
ready = time.perf_counter()
Engine.load(sys.argv[1])
loaded = time.perf_counter()
print(json.dumps({"import_coder": imported - start, "import_engine": ready - imported, "load": loaded - ready}))
"""

COMPLETE = """
import json, sys, time
start = time.perf_counter()
from coder.cli import main
from coder.commands.terminal.output import NOTHING_TO_SUGGEST
try:
    main()
except SystemExit as stop:
    code = stop.code or 0
if code not in (0, NOTHING_TO_SUGGEST):
    sys.exit(code)
from coder.engine.memory import peak_memory
print(json.dumps({"seconds": time.perf_counter() - start, "peak_bytes": peak_memory()}))
"""
"""Runs the command line as `quickfill` would, and then asks the system what it took."""


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    quick: Annotated[bool, typer.Option(help="Measure each time once, and do not install.")] = False,
    model: Annotated[str, typer.Option(help="'embedded', a folder, or a hub id.")] = EMBEDDED,
    target: Annotated[str, typer.Option(help="What `quickfill complete` completes.")] = "examples/averages.py:24",
) -> None:
    """Measure import and load times, the memory of a completion, and the size of a plain install."""
    console = report_console()
    packages: list[Row] = []
    with console.status("starting") as status:
        figures = startup_figures(model, target, repeats=1 if quick else 5)
        if not quick:
            status.update("installing into a new virtual environment")
            with TemporaryDirectory() as folder:
                sizes = install_sizes(Path(folder), ROOT)
            packages = [{"package": name, "megabytes": size / MEGABYTE} for name, size in sizes.items()]
            figures["install_without_weights_mb"] = sum(sizes.values()) / MEGABYTE
            print_rows(console, "plain install, without the weights", packages)
    print_figures(console, "startup", figures)
    if json is not None:
        write_json(json, {**figures, "machine": machine(), "tables": {"packages": packages}})


def startup_figures(model: str, target: str, repeats: int) -> dict[str, float | None]:
    """Medians of `repeats` new processes each; seconds, and megabytes of 10^6 bytes."""
    cold = [run_child(LOAD, model)["load"] for _ in range(repeats) if forget_files(find_checkpoint(model))]
    warm = [run_child(LOAD, model) for _ in range(repeats)]
    completions = [run_child(COMPLETE, "complete", target, "--json", "--model", model) for _ in range(repeats)]
    return {
        "import_coder_seconds": median(times["import_coder"] for times in warm),
        "import_engine_seconds": median(times["import_engine"] for times in warm),
        "load_warm_seconds": median(times["load"] for times in warm),
        "load_cold_seconds": median(cold) if cold else None,
        "complete_seconds": median(run["seconds"] for run in completions),
        "complete_peak_mb": max(run["peak_bytes"] for run in completions) / MEGABYTE,
    }


def run_child(script: str, *arguments: str) -> dict[str, float]:
    """Run Python code in a new process, in the project's root, and read the JSON object that it prints last.

    Raises RuntimeError with what the process said when it fails.
    """
    command = [sys.executable, "-c", script, *arguments]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    if child.returncode != 0:
        raise RuntimeError(f"a measured process failed:\n{child.stderr}")
    return jsons.loads(child.stdout.splitlines()[-1])


def forget_files(folder: Path) -> bool:
    """Drop a folder's files from the system's cache, so that they are read from the disk. False where that cannot be
    asked for."""
    if not hasattr(os, "posix_fadvise"):
        return False
    for path in folder.iterdir():
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return True


LIST_SIZES = """
import json
from importlib.metadata import distributions
sizes = {}
for package in distributions():
    files = [file for file in package.files or [] if not str(file).replace("\\\\", "/").startswith("coder/weights/")]
    paths = [package.locate_file(file) for file in files]
    sizes[package.name] = sum(path.stat().st_size for path in paths if path.is_file())
print(json.dumps(sizes))
"""

NOT_INSTALLED_BY_US = ("pip", "setuptools")


def install_sizes(folder: Path, project: Path) -> dict[str, int]:
    """Bytes of each package after `project` was installed in a new virtual environment in `folder`, the largest first.

    The embedded weights are left out. Raises subprocess.CalledProcessError when the installation fails.
    """
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(project)], check=True)
    listing = subprocess.run([python, "-c", LIST_SIZES], check=True, capture_output=True, text=True)
    sizes: dict[str, int] = jsons.loads(listing.stdout)
    ours = {name: size for name, size in sizes.items() if name not in NOT_INSTALLED_BY_US}
    return dict(sorted(ours.items(), key=lambda entry: -entry[1]))


if __name__ == "__main__":
    typer.run(main)
