"""Releases of packages, fetched by pip and kept as wheels, and the files that differ between two of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from packaging.utils import canonicalize_version
from packaging.version import InvalidVersion, Version

from coder.errors import InputError
from coder.train.packages import run_pip_download
from data.document import SourceFile
from data.sources.archive import Archive, name_and_version
from data.sources.pin_list import read_list
from data.sources.source import Wanted, normalised_name

PYTHON = Wanted(frozenset(("python",)))


@dataclass(frozen=True)
class ReleasePair:
    """Two releases of a package."""

    package: str
    old: str
    new: str

    @staticmethod
    def parse(text: str) -> ReleasePair:
        """Read `NAME:OLD:NEW`. Raises InputError."""
        parts = text.split(":")
        if len(parts) != 3 or not all(parts):
            raise InputError(f"{text!r} names no pair of releases: write NAME:OLD:NEW, for example click:8.0.4:8.1.0")
        return ReleasePair(*parts)


@dataclass(frozen=True)
class ChangedFile:
    """A Python file that both releases have, and that differs."""

    old: SourceFile
    new: SourceFile


def read_pairs(file: Path) -> list[ReleasePair]:
    """The consecutive releases of a list: a package a line, `NAME VERSION VERSION …`, the oldest first; `#` begins a
    comment. Raises InputError."""
    lines = [line.split("#")[0].split() for line in read_list(file, "releases").splitlines()]
    for line in filter(None, lines):
        if len(line) < 3 or not all(map(_is_version, line[1:])):
            raise InputError(f"{file}: {' '.join(line)[:80]!r} is no package with two releases or more, oldest first")
    return [ReleasePair(line[0], old, new) for line in lines for old, new in pairwise(line[1:])]


def changed_files(pair: ReleasePair, cache: Path) -> Iterator[ChangedFile]:
    """The files that differ, by their paths. Raises InputError where pip cannot get a release."""
    old, new = (release(pair.package, version, cache) for version in (pair.old, pair.new))
    for path in sorted(old.keys() & new.keys()):
        if old[path].content != new[path].content:
            yield ChangedFile(old[path], new[path])


def release(package: str, version: str, cache: Path) -> dict[str, SourceFile]:
    """A release's Python files by their paths. Its wheel is fetched if it is not in the cache yet."""
    found = _wheel(package, version, cache) or _fetched(package, version, cache)
    files = Archive(found, PYTHON).files()
    return {file.path: file for file in files if isinstance(file, SourceFile) and file.path.endswith(".py")}


def _wheel(package: str, version: str, cache: Path) -> Path | None:
    wanted = normalised_name(package), canonicalize_version(version)
    for file in sorted(cache.glob("*.whl")):
        name, found = name_and_version(file.name)
        if (normalised_name(name), canonicalize_version(found)) == wanted:
            return file
    return None


def _fetched(package: str, version: str, cache: Path) -> Path:
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        run_pip_download([f"{package}=={version}"], Path(folder))
        (wheel,) = Path(folder).glob("*.whl")
        return wheel.replace(cache / wheel.name)


def _is_version(text: str) -> bool:
    try:
        return bool(Version(text))
    except InvalidVersion:
        return False
