"""The installed command, run in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Quickfill = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def quickfill(tmp_path: Path) -> Quickfill:
    """Runs `quickfill data` with arguments, in the test's folder and with other variables in the environment."""
    found = shutil.which("quickfill", path=str(Path(sys.executable).parent))
    assert found, "the tests need the command; CONTRIBUTING.md says how to install it"

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [found, "data", *map(str, arguments)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=tmp_path,
            env=os.environ | {"COLUMNS": "160", "PYTHONUTF8": "1"} | environment,
            timeout=300,
            check=False,
        )

    return run
