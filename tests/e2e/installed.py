"""Editors that are new enough: the system's, or ones that were installed into the user's cache for the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

INSTALLER = Path(__file__).with_name("get_editor.sh")


def find_editor(program: str, is_fit: Callable[[str], bool]) -> str:
    """An editor that `is_fit`: named by QUICKFILL_PROGRAM, the system's, or one installed into the user's cache.

    Args:
        program: one that `get_editor.sh` knows.
        is_fit: whether the editor at a path can be used.
    """
    variable = f"QUICKFILL_{program.upper()}"
    installed = platformdirs.user_cache_path("quickfill") / "editors" / program / program
    for candidate in (os.environ.get(variable), shutil.which(program), str(installed)):
        if candidate and Path(candidate).exists() and is_fit(candidate):
            return candidate
    if shutil.which("apt-get") is None:
        message = f"these tests need a newer {program}: install it, or name it in {variable}"
        pytest.fail(message) if "CI" in os.environ else pytest.skip(message)
    done = subprocess.run(["bash", INSTALLER, installed.parent, program], capture_output=True, text=True)
    assert done.returncode == 0, f"{program} cannot be installed by {INSTALLER.name}: {done.stderr}"
    return str(installed)


def output_of(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True).stdout
