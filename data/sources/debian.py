"""Source packages of Debian, brought by `apt-get source` and kept: Go, Rust, Java, C++ as their authors wrote them.

Each file has the licence that the package's `debian/copyright` states for it, where that is in Debian's form for
programs (DEP-5); elsewhere only a file's own word counts.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path

from coder.errors import InputError, MissingDependencyError
from coder.model.checkpoint.files import sha256_of_file
from data.document import Skipped, SourceFile
from data.sources.archive import DAMAGES, ArchiveTooLargeError, safe_path, tar_members, without_top
from data.sources.debian_copyright import DebianCopyright
from data.sources.pin_list import ClientPin, read_client_pins
from data.sources.source import DAMAGED, LARGEST_FILE, TOO_LARGE, UNSAFE_NAME, Found, Wanted

COPYRIGHT = "debian/copyright"


@dataclass(frozen=True)
class DebianPackages:
    """The source packages of a list, `NAME=VERSION sha256:…` a line. The hash is that of a package's description
    (`.dsc`), which has those of its archives. What the cache holds already is not brought again."""

    file: Path
    cache: Path
    wanted: Wanted

    def files(self) -> Iterator[Found]:
        """Raises InputError when the list cannot be read or a package cannot be had as it is pinned."""
        for pin in read_client_pins(self.file, "="):
            folder = self.cache / "debian" / pin.folder_name
            if not folder.is_dir():
                fetch(pin, folder)
            archives = verified_archives(pin, folder)
            stated = DebianCopyright.parse(_copyright(archives))
            for path in archives:
                if ".debian.tar." not in path.name:
                    yield from self._files_of(path, pin, stated)

    def _files_of(self, archive: Path, pin: ClientPin, stated: DebianCopyright) -> Iterator[Found]:
        try:
            for member in tar_members(archive):
                path = safe_path(member.name)
                if not self.wanted(member.name):
                    continue
                if path is None:
                    yield Skipped(ascii(member.name), pin.name, UNSAFE_NAME)
                    continue
                path, content = without_top(path), member.read(LARGEST_FILE + 1)
                if len(content) > LARGEST_FILE:
                    yield Skipped(path, pin.name, TOO_LARGE)
                else:
                    yield SourceFile(path, content, pin.name, pin.version, stated.license_of(path))
        except DAMAGES:
            yield Skipped(archive.name, pin.name, DAMAGED)
        except ArchiveTooLargeError:
            yield Skipped(archive.name, pin.name, TOO_LARGE)


def fetch(pin: ClientPin, folder: Path) -> None:
    """Bring a source package. Raises InputError with what apt said, MissingDependencyError without apt."""
    apt = shutil.which("apt-get")
    if apt is None:
        raise MissingDependencyError("Debian's packages are brought by apt-get, which is not on the path; use Debian")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        command = [apt, "source", "--quiet", "--download-only", "--only-source", f"{pin.name}={pin.version}"]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=scratch)
        if done.returncode or not list(Path(scratch).glob("*.dsc")):
            said = " ".join(line for line in done.stderr.splitlines() if line.startswith("E:")) or "it said nothing"
            raise InputError(
                f"apt-get cannot bring {pin.name} {pin.version} ({said}); source packages need `deb-src` among the "
                "system's sources, and `apt-get update`"
            )
        shutil.copytree(scratch, folder)


def verified_archives(pin: ClientPin, folder: Path) -> list[Path]:
    """The archives that a package's description names, in order. Raises InputError for one that is another."""
    (description,) = folder.glob("*.dsc")
    pin.require(description)
    hashes = _hashes(description.read_text(encoding="utf-8", errors="replace"))
    found = []
    for name, expected in sorted(hashes.items()):
        path = folder / name
        if ".tar." not in name or name.endswith(".asc"):
            continue
        if not path.is_file() or sha256_of_file(path) != expected:
            raise InputError(f"{path} is not what {description.name} names; remove {folder}, and it is brought again")
        found.append(path)
    return found


def _hashes(description: str) -> Mapping[str, str]:
    """The SHA-256 of each file, from a `.dsc`, which may be signed."""
    _, signed, rest = description.partition("-----BEGIN PGP SIGNED MESSAGE-----")
    content = rest.partition("\n\n")[2].partition("-----BEGIN PGP SIGNATURE-----")[0] if signed else description
    fields = Parser().parsestr(content.lstrip(), headersonly=True)
    rows = [line.split() for line in str(fields.get("Checksums-Sha256", "")).splitlines()]
    return {row[2]: row[0] for row in rows if len(row) == 3 and "/" not in row[2]}


def _copyright(archives: list[Path]) -> str:
    """The text of `debian/copyright`; empty where there is none."""
    for archive in archives:
        try:
            for member in tar_members(archive):
                if member.name.removeprefix("./") == COPYRIGHT or without_top(member.name) == COPYRIGHT:
                    return member.read(LARGEST_FILE).decode("utf-8", errors="replace")
        except (*DAMAGES, ArchiveTooLargeError):
            continue
    return ""
