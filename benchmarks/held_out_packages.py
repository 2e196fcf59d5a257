"""Real code that the embedded model has not been trained on: packages that this project depends on anyway."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

HELD_OUT_PACKAGES = ("pathspec", "pygls", "typer")
"""Not among the packages whose code is in any of the training mixes, this project's or its corpus'."""

OWN = ("coder", "lsp")
"""This project's own code, which is in none of them either."""

VENDORED = ("_click",)
"""Folders in them that hold another package's code, which may well have been trained on."""


@dataclass(frozen=True)
class HeldOutPackage:
    """An installed package: its version, its folder, and the Python files that its authors wrote, in order."""

    name: str
    version: str
    folder: Path
    files: tuple[Path, ...]


def held_out_package(name: str) -> HeldOutPackage:
    """The package as it is installed here; figures name the version, since code changes with it."""
    spec = find_spec(name)
    assert spec is not None and spec.origin is not None, f"{name} is a dependency and must be installed"
    folder = Path(spec.origin).parent
    files = tuple(file for file in sorted(folder.rglob("*.py")) if _is_written_by_its_authors(file))
    return HeldOutPackage(name, metadata.version("quickfill" if name in OWN else name), folder, files)


def _is_written_by_its_authors(file: Path) -> bool:
    """Neither another package's, nor a program's work, which says so in its first lines."""
    head = "\n".join(file.read_text(encoding="utf-8").split("\n")[:5])
    return not set(VENDORED) & set(file.parts) and "generated" not in head.lower()
