"""Lists of packages: from names to versions, hashes and licences."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coder.errors import InputError
from coder.model.checkpoint.files import sha256_of_file
from coder.train.packages import Pin, run_pip_download
from data.document import SourceFile
from data.sources.archive import SUFFIXES, Archive, name_and_version
from data.sources.pin_list import read_list
from data.sources.pinned import parse_pin
from data.sources.source import Wanted, normalised_name
from data.steps.licence import PERMISSIVE, is_allowed

NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?")


@dataclass(frozen=True)
class Pinned:
    """A package that was looked at.

    Attributes:
        license: SPDX, empty where nothing states one. is_permissive: whether it stays in the list.
    """

    pin: Pin
    license: str
    is_permissive: bool


def pin_list(file: Path, cache: Path, update: bool = False) -> Iterator[Pinned]:
    """Pin every package of a list, and write the list anew when all are; what came of each, one by one.

    A name becomes the version in the cache, or the newest one that the package index has for any machine. Packages
    that are not under a permissive licence stay as a comment that says so, other comments as they are.

    Args:
        update: ask for the newest version of every package, of those that are pinned or in the cache too.

    Raises: InputError.
    """
    lines = []
    for line in _lines(file):
        entry = line.split("#")[0].strip()
        if not entry:
            lines.append(line)
            continue
        pinned = _pinned(entry, cache, update)
        lines.append(
            pinned.pin.requirement
            if pinned.is_permissive
            else f"# {pinned.pin.name} {pinned.pin.version}: {pinned.license or 'no licence stated'}"
        )
        yield pinned
    partial = file.with_suffix(".partial")
    partial.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
    partial.replace(file)


def _pinned(entry: str, cache: Path, update: bool) -> Pinned:
    pin = parse_pin(entry)
    name = pin.name if pin is not None else entry
    if NAME.fullmatch(name) is None:
        raise InputError(f"{entry!r} is neither a package's name nor a pin, `name==version --hash=sha256:...`")
    archive = None if update else _in_cache(name, pin, cache)
    if archive is None:
        archive = _download(name if pin is None or update else f"{name}=={pin.version}", cache)
    found, version = name_and_version(archive.name)
    if pin is None or update:
        pin = Pin(normalised_name(found), version, (sha256_of_file(archive),))
    stated = _license_of(archive)
    return Pinned(pin, stated, bool(stated) and is_allowed(stated, PERMISSIVE))


def _in_cache(name: str, pin: Pin | None, cache: Path) -> Path | None:
    for file in sorted(cache.iterdir(), reverse=True) if cache.is_dir() else []:
        if file.name.lower().endswith(SUFFIXES):
            found, version = name_and_version(file.name)
            if normalised_name(found) == normalised_name(name) and (pin is None or version == pin.version):
                return file
    return None


def _download(requirement: str, cache: Path) -> Path:
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        run_pip_download([requirement], Path(folder))
        (archive,) = Path(folder).iterdir()
        return Path(shutil.move(archive, cache / archive.name))


def _license_of(archive: Path) -> str:
    """The licence that the package states. Every file of an archive has it, so the first one tells."""
    for found in Archive(archive, Wanted(frozenset(("python",)))).files():
        if isinstance(found, SourceFile):
            return found.license
    return ""


def _lines(file: Path) -> list[str]:
    return read_list(file).replace("\\\n", " ").splitlines()
