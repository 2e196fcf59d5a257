"""A folder with source code as somebody works on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coder.errors import InputError
from data.document import Skipped, SourceFile
from data.sources.project import ProjectMetadata, describe_project
from data.sources.source import LARGEST_FILE, TOO_LARGE, UNREADABLE, Found, Wanted

SKIPPED_FOLDERS = frozenset(
    "__pycache__ bower_components build dist env node_modules site-packages target venv".split()
)
FOLDER_MARKERS = ("pyvenv.cfg", "CACHEDIR.TAG")
"""A folder that holds one of these is a virtual environment or a cache, whatever its name."""


@dataclass(frozen=True)
class Folder:
    """The files below a folder. Links are not followed; hidden folders, caches and virtual environments are left out.

    Attributes:
        package: its name; by default what the folder's own metadata says, or the folder's name.
        license: the SPDX expression; by default what the folder's own files state.
    """

    path: Path
    wanted: Wanted
    package: str | None = None
    license: str | None = None

    def files(self) -> Iterator[Found]:
        if not self.path.is_dir():
            raise InputError(f"{self.path} is not a folder")
        root = self.path.resolve()
        project = describe_project(root.name, _root_files(root), self.package, self.license)
        yield from walk(root, project, self.wanted)


def walk(
    root: Path, project: ProjectMetadata, wanted: Wanted, skipped: frozenset[str] = SKIPPED_FOLDERS
) -> Iterator[Found]:
    """The wanted files below `root`, a folder's own before those of the folders in it, each in order of their names."""
    pending = [root]
    while pending:
        folder = pending.pop()
        inner = []
        for entry in _entries(folder):
            path = folder / entry.name
            if entry.is_dir(follow_symlinks=False):
                if entry.name.lower() not in skipped and not entry.name.startswith(".") and not _is_marked(path):
                    inner.append(path)
            elif entry.is_file(follow_symlinks=False) and wanted(entry.name):
                yield read_file(path, path.relative_to(root).as_posix(), project)
        pending.extend(reversed(inner))


def read_file(file: Path, path: str, project: ProjectMetadata) -> Found:
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST_FILE + 1)
    except OSError:
        return Skipped(path, project.package, UNREADABLE)
    if len(content) > LARGEST_FILE:
        return Skipped(path, project.package, TOO_LARGE)
    return SourceFile(path, content, project.package, project.version, project.license)


def _root_files(root: Path) -> dict[str, bytes]:
    files = {}
    for entry in _entries(root):
        if entry.is_file(follow_symlinks=False) and ProjectMetadata.is_told_by(entry.name):
            try:
                with (root / entry.name).open("rb") as file:
                    files[entry.name] = file.read(LARGEST_FILE)
            except OSError:
                continue
    return files


def _is_marked(folder: Path) -> bool:
    return any((folder / name).exists() for name in FOLDER_MARKERS)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []
