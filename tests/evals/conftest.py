"""Folders, engines and commands for the tests of the benchmarks."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coder.engine.engine import Engine
from evals.execution import Executor
from tests.tiny import write_tiny_checkpoint

FILES = Path(__file__).parent / "files"

Quickfill = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint of the engine."""
    return write_tiny_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def tiny_engine(tiny: Path) -> Iterator[Engine]:
    engine = Engine.load(str(tiny), runtime="onnx", threads=1)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with Executor() as executor:
        yield executor


def command() -> str:
    found = shutil.which("quickfill", path=str(Path(sys.executable).parent))
    assert found, 'the tests need the command: pip install -e ".[test]"'
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
