"""Packages by name, version and hash, brought by `pip download`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coder.errors import InputError

PURE_PYTHON = ("--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none", "--python-version=3.11")
"""Wheels that run anywhere, so that the same list gives the same files on every machine, and nothing is built."""


@dataclass(frozen=True)
class Pin:
    """A package. hashes: SHA-256 of the archives that it may be, hexadecimal."""

    name: str
    version: str
    hashes: tuple[str, ...]

    @property
    def requirement(self) -> str:
        """In pip's requirement format."""
        return " ".join([f"{self.name}=={self.version}", *(f"--hash=sha256:{digest}" for digest in self.hashes)])


def download(pins: Sequence[Pin], folder: Path) -> None:
    """Bring packages into a folder. Raises InputError with what pip said where one cannot be had."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        requirements = Path(scratch) / "requirements.txt"
        requirements.write_text("".join(f"{pin.requirement}\n" for pin in pins), encoding="utf-8")
        run_pip_download(["--require-hashes", "-r", str(requirements)], folder)


def run_pip_download(arguments: Sequence[str], folder: Path) -> None:
    """`pip download` without dependencies, of wheels for any machine. Raises InputError with what it said."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    done = subprocess.run(
        [*command, "--no-deps", *PURE_PYTHON, "--dest", str(folder), *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        raise InputError(f"pip could not download what is pinned: {' '.join(said[-2:]) or 'it said nothing'}")
