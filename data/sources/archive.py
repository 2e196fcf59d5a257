"""Wheels and source distributions, read where they lie: nothing is unpacked to the disk.

An archive is a stranger's. Its names are checked before anything is done with them, links in it are not followed, and
what comes out of it is counted while it is decompressed, whatever its headers say of sizes.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

from coder.errors import InputError
from data.document import Skipped, SourceFile
from data.sources.project import ProjectMetadata, describe_project
from data.sources.source import DAMAGED, LARGEST_FILE, TOO_LARGE, UNSAFE_NAME, Found, Wanted

SUFFIXES = (".whl", ".tar.gz", ".tgz", ".zip")

MOST_MEMBERS = 100_000
LARGEST_ARCHIVE = 2 * 1024**3
"""Bytes of an archive, decompressed."""

LONGEST_NAME = 1024

DAMAGES = (
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
    NotImplementedError,
    RuntimeError,
)
"""The errors of the standard library for an archive that is broken, encrypted or packed in a way it does not know."""


OPENERS: Mapping[str, Callable[[Path], Any]] = {".xz": lzma.open, ".bz2": bz2.open}
"""Of tars that gzip did not compress, by the last part of their names."""


@dataclass(frozen=True)
class Member:
    """A regular file of an archive; its content is decompressed when it is asked for."""

    name: str
    read: Callable[[int], bytes]
    """At most so many bytes of it."""


@dataclass(frozen=True)
class Archive:
    """One wheel or source distribution.

    Attributes:
        license: the SPDX expression; by default what the archive's own metadata states.
        name: name and version, where its file's name does not tell them.
    """

    path: Path
    wanted: Wanted
    license: str | None = None
    name: tuple[str, str] | None = None

    def files(self) -> Iterator[Found]:
        """Raises InputError when there is no such file or its name is no archive's."""
        if not self.path.is_file() or not self.path.name.lower().endswith(SUFFIXES):
            raise InputError(f"{self.path} is no wheel and no source distribution ({', '.join(SUFFIXES)})")
        name, version = self.name or name_and_version(self.path.name)
        try:
            project = self._project(name, version)
            for member in self._members():
                found = self._found(member, project)
                if found is not None:
                    yield found
        except DAMAGES:
            yield Skipped(self.path.name, name, DAMAGED)
        except ArchiveTooLargeError:
            yield Skipped(self.path.name, name, TOO_LARGE)

    def names(self) -> Iterator[str]:
        """The paths of what is in it, as `files` has them; of a damaged one as far as it can be read."""
        with suppress(*DAMAGES, ArchiveTooLargeError):
            for member in self._members():
                if (path := safe_path(member.name)) is not None:
                    yield path if self._is_wheel else without_top(path)

    def _found(self, member: Member, project: ProjectMetadata) -> Found | None:
        if not self.wanted(member.name):
            return None
        path = safe_path(member.name)
        if path is None:
            return Skipped(ascii(member.name)[:LONGEST_NAME], project.package, UNSAFE_NAME)
        if not self._is_wheel:
            path = without_top(path)
        try:
            content = member.read(LARGEST_FILE + 1)
        except DAMAGES:
            return Skipped(path, project.package, DAMAGED)
        if len(content) > LARGEST_FILE:
            return Skipped(path, project.package, TOO_LARGE)
        return SourceFile(path, content, project.package, project.version, project.license)

    def _project(self, name: str, version: str) -> ProjectMetadata:
        told = {}
        for member in self._members():
            path = safe_path(member.name)
            if path is not None and (file := self._name_at_top(path)) is not None:
                told.setdefault(file, member.read(LARGEST_FILE))
        described = describe_project(name, told, package=name, license=self.license)
        return ProjectMetadata(described.package, version or described.version, described.license)

    def _name_at_top(self, path: str) -> str | None:
        """The name of a file that tells about the project: at an sdist's top, or in a wheel's `.dist-info`."""
        parts = PurePosixPath(path).parts
        is_at_top = (
            len(parts) in (2, 3) and parts[0].endswith(".dist-info") and parts[1:-1] in ((), ("licenses",))
            if self._is_wheel
            else len(parts) == 2
        )
        return parts[-1] if is_at_top and ProjectMetadata.is_told_by(parts[-1]) else None

    @property
    def _is_wheel(self) -> bool:
        return self.path.name.lower().endswith(".whl")

    def _members(self) -> Iterator[Member]:
        is_tar = self.path.name.lower().endswith((".tar.gz", ".tgz"))
        for count, member in enumerate(tar_members(self.path) if is_tar else _zip_members(self.path)):
            if count >= MOST_MEMBERS:
                raise ArchiveTooLargeError
            yield member


def name_and_version(file_name: str) -> tuple[str, str]:
    """The distribution's name and version as the archive's own name tells them; without a version if it does not."""
    try:
        if file_name.lower().endswith(".whl"):
            name, version, _, _ = parse_wheel_filename(file_name)
        else:
            name, version = parse_sdist_filename(file_name)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return file_name.split("-")[0], ""
    return name, str(version)


def safe_path(name: str) -> str | None:
    """A member's name as a relative path; None where it could lead out of the folder it is put into, on any system."""
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or "\\" in name or ":" in name:
        return None
    path = PurePosixPath(name)
    return None if path.is_absolute() or ".." in path.parts else path.as_posix()


def archives_in(path: Path) -> list[Path]:
    """The archives of a folder in order of their names, or the one that `path` is. Raises InputError for none."""
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.name.lower().endswith(SUFFIXES))
    if not found:
        raise InputError(f"{path} holds no archives ({', '.join(SUFFIXES)})")
    return found


def _zip_members(path: Path) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        left = LARGEST_ARCHIVE
        for info in archive.infolist():
            is_link = (info.external_attr >> 16) & 0o170000 == 0o120000
            if info.is_dir() or is_link:
                continue

            def read(most: int, info: zipfile.ZipInfo = info) -> bytes:
                nonlocal left
                with archive.open(info) as member:
                    content = member.read(min(most, left))
                left -= len(content)
                if left <= 0:
                    raise ArchiveTooLargeError
                return content

            yield Member(info.filename, read)


def tar_members(path: Path) -> Iterator[Member]:
    """The files of a compressed tar, in order. Raises one of `DAMAGES`, or ArchiveTooLargeError."""
    with open_tar(path, LARGEST_ARCHIVE) as archive:
        for info in archive:
            if info.isreg():
                yield Member(info.name, lambda most, info=info: _of_tar(archive, info, most))


def _of_tar(archive: tarfile.TarFile, info: tarfile.TarInfo, most: int) -> bytes:
    member: IO[bytes] | None = archive.extractfile(info)
    return member.read(most) if member is not None else b""


def without_top(path: str) -> str:
    """The path inside the one folder that a source distribution holds."""
    parts = PurePosixPath(path).parts
    return "/".join(parts[1:]) if len(parts) > 1 else path


MOST_AT_ONCE = 2 * 1024 * 1024
"""Bytes. tarfile reads long names and extended headers whole, as long as they say they are."""


class ArchiveTooLargeError(Exception):
    """More comes out of an archive than any honest one holds."""


class BoundedStream:
    """A stream that can be read up to a place, a little at a time. Beyond either it raises ArchiveTooLargeError."""

    def __init__(self, stream: IO[bytes], end: int) -> None:
        self._stream, self._end = stream, end

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MOST_AT_ONCE or self._stream.tell() + size > self._end:
            raise ArchiveTooLargeError
        return self._stream.read(size)

    def seek(self, place: int, whence: int = 0) -> int:
        if whence != 0 or place > self._end:
            raise ArchiveTooLargeError
        return self._stream.seek(place)

    def tell(self) -> int:
        return self._stream.tell()


@contextmanager
def open_tar(path: Path, most: int) -> Iterator[tarfile.TarFile]:
    """A tar compressed by gzip, xz or bzip2, whose members are best read in order.

    Raises ArchiveTooLargeError while it is read, once more than `most` bytes have to be decompressed.
    """
    with OPENERS.get(path.suffix, gzip.open)(path) as compressed:
        stream: Any = BoundedStream(compressed, most)
        with tarfile.open(fileobj=stream, mode="r:") as archive:
            yield archive
