"""A list of packages by name, version and hash, brought by `pip download` and kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version

from coder.errors import InputError
from coder.model.checkpoint.files import sha256_of_file
from coder.train.packages import Pin, download
from data.sources.archive import SUFFIXES, Archive, name_and_version
from data.sources.pin_list import read_list
from data.sources.source import Found, Wanted, normalised_name

PIN = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[^\s;]+)(?P<hashes>(?:\s+--hash=sha256:[0-9a-f]{64})+)")
HASH = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class PinnedPackages:
    """The packages of a list in pip's requirement format. What the cache holds already is not downloaded again."""

    file: Path
    cache: Path
    wanted: Wanted

    def files(self) -> Iterator[Found]:
        """Raises InputError when the list cannot be read or a package cannot be had as it is pinned."""
        pins = read_pins(self.file)
        archives = find_archives(pins, self.cache)
        missing = [pin for pin in pins if pin not in archives]
        if missing:
            download(missing, self.cache)
            archives |= find_archives(missing, self.cache)
        for pin in sorted(pins, key=lambda pin: normalised_name(pin.name)):
            yield from Archive(archives[pin], self.wanted).files()


def read_pins(file: Path) -> list[Pin]:
    """The packages of a list: one a line, `name==version --hash=sha256:...`; `#` begins a comment, `\\` goes on.

    Raises InputError.
    """
    entries = [line.split("#")[0].strip() for line in read_list(file).replace("\\\n", " ").splitlines()]
    pins = {entry: parse_pin(entry) for entry in entries if entry}
    wrong = [entry for entry, pin in pins.items() if pin is None]
    if wrong:
        raise InputError(
            f"{file}: {wrong[0][:80]!r} is not `name==version --hash=sha256:...`; `quickfill data pin` can make it so"
        )
    return [pin for pin in pins.values() if pin is not None]


def parse_pin(entry: str) -> Pin | None:
    """A line of a list, without its comment; None where it is no pin."""
    match = PIN.fullmatch(entry)
    if match is None:
        return None
    try:
        version = str(Version(match["version"]))
    except InvalidVersion:
        return None
    return Pin(match["name"], version, tuple(HASH.findall(match["hashes"])))


def find_archives(pins: Sequence[Pin], cache: Path) -> dict[Pin, Path]:
    """The archives of packages that the cache holds: by name and version, and only if the hash is right."""
    files: dict[tuple[str, str], list[Path]] = {}
    for file in sorted(cache.iterdir()) if cache.is_dir() else []:
        if file.name.lower().endswith(SUFFIXES):
            name, version = name_and_version(file.name)
            files.setdefault((normalised_name(name), version), []).append(file)
    found = {}
    for pin in pins:
        for file in files.get((normalised_name(pin.name), pin.version), []):
            if sha256_of_file(file) in pin.hashes:
                found[pin] = file
                break
    return found
