"""Sources installed on this machine: the packages of a Python environment, and the standard library."""

from __future__ import annotations

import platform
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from coder.errors import InputError
from data.document import Skipped
from data.sources.folder import read_file, walk
from data.sources.project import LICENCE_FILE, ProjectMetadata, describe_project
from data.sources.source import UNSAFE_NAME, Found, Wanted, normalised_name

STANDARD_LIBRARY = "python"
"""The package that the standard library counts as."""

NOT_OF_THE_LIBRARY = frozenset(("__pycache__", "dist-packages", "site-packages"))


@dataclass(frozen=True)
class Environment:
    """The packages that are installed in some folders, by their own lists of files.

    Attributes:
        paths: `site-packages` folders; by default those that this interpreter imports from.
        packages: normalised names; by default all. exclude: those left out.
    """

    wanted: Wanted
    paths: tuple[Path, ...] = ()
    packages: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def files(self) -> Iterator[Found]:
        """Raises InputError where a folder is missing or a package that was named is not installed."""
        for path in self.paths:
            if not path.is_dir():
                raise InputError(f"{path} is not a folder; name an environment's site-packages")
        installed: dict[str, Distribution] = {}
        for distribution in distributions(path=[str(path) for path in self.paths] or sys.path):
            installed.setdefault(normalised_name(distribution.metadata["Name"] or ""), distribution)
        wanted = {normalised_name(name) for name in self.packages} or set(installed)
        if missing := sorted(wanted - set(installed)):
            raise InputError(f"not installed: {', '.join(missing)}")
        for name in sorted(wanted - {normalised_name(name) for name in self.exclude}):
            yield from self._files_of(installed[name])

    def _files_of(self, distribution: Distribution) -> Iterator[Found]:
        root = Path(str(distribution.locate_file(""))).resolve()
        paths = sorted(str(path) for path in distribution.files or [])
        told = {Path(path).name: _content(root / path) for path in paths if _tells_of_the_package(path)}
        told["METADATA"] = (distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or "").encode()
        project = describe_project(distribution.metadata["Name"] or "", told)
        for path in paths:
            if not self.wanted(path):
                continue
            if (root / path).resolve().is_relative_to(root):
                yield read_file(root / path, Path(path).as_posix(), project)
            elif not path.startswith(".."):  # what is installed into `bin` and the like
                yield Skipped(path, project.package, UNSAFE_NAME)


@dataclass(frozen=True)
class StandardLibrary:
    """Python's own library, of the interpreter that runs this: its version is part of the corpus."""

    wanted: Wanted

    def files(self) -> Iterator[Found]:
        root = Path(sysconfig.get_path("stdlib")).resolve()
        project = ProjectMetadata(STANDARD_LIBRARY, platform.python_version(), "PSF-2.0")
        yield from walk(root, project, self.wanted, NOT_OF_THE_LIBRARY)


def _tells_of_the_package(path: str) -> bool:
    parts = Path(path).parts
    return len(parts) > 1 and parts[0].endswith(".dist-info") and LICENCE_FILE.fullmatch(parts[-1]) is not None


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
