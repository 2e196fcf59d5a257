"""Folders, engines and commands for the tests of the benchmarks."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evals.execution import Executor

FILES = Path(__file__).parent / "files"

Quickfill = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with Executor(workers=2) as executor:
        yield executor


def command() -> str:
    found = shutil.which("quickfill", path=str(Path(sys.executable).parent))
    assert found, "the tests need the command; CONTRIBUTING.md says how to install it"
    return found


@pytest.fixture
def quickfill(tmp_path: Path) -> Quickfill:
    """Run `quickfill eval` in an empty folder."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        full = [command(), "eval", *map(str, arguments)]
        return subprocess.run(
            full, capture_output=True, text=True, encoding="utf-8", cwd=tmp_path, timeout=300, check=False
        )

    return run
