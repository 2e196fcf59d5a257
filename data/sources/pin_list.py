"""Lists of packages for clients other than pip: name, version and hash, in the client's own words.

zod@4.6.7 sha256:…        npm
leveldb=1.23-4 sha256:…   apt
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from coder.errors import InputError
from coder.model.checkpoint.files import sha256_of_file


@dataclass(frozen=True)
class ClientPin:
    """A package as a client names it, `NAME@VERSION` or `NAME=VERSION`.

    Attributes:
        sha256: of what the client brings, hexadecimal; of a source package it is that of its description (`.dsc`).
    """

    name: str
    version: str
    sha256: str

    @property
    def folder_name(self) -> str:
        """A name for its folder in a cache."""
        return re.sub(r"[^\w.+~-]+", "_", f"{self.name}_{self.version}")

    def require(self, file: Path) -> None:
        """Raises InputError where a file is not what was pinned, with the hash that it has."""
        if (found := sha256_of_file(file)) != self.sha256:
            raise InputError(
                f"{self.name} {self.version} is pinned as sha256:{self.sha256 or '…'}, but is sha256:{found}"
            )


def read_list(file: Path, of: str = "packages") -> str:
    """The text of a list. Raises InputError."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the list of {of} {file}: {error}") from error


def read_client_pins(file: Path, separator: str) -> list[ClientPin]:
    """The packages of a list, one a line; `#` begins a comment. Raises InputError."""
    pattern = re.compile(
        rf"(?P<name>@?[\w.+/-]+){separator}(?P<version>[\w.+:~-]+)(?:\s+sha256:(?P<sha256>[0-9a-f]{{64}}))?"
    )
    lines = [line.split("#")[0].strip() for line in read_list(file).splitlines()]
    pins = []
    for line in filter(None, lines):
        match = pattern.fullmatch(line)
        if match is None or match["name"].startswith("-"):
            raise InputError(f"{file}: {line[:80]!r} is not `NAME{separator}VERSION sha256:...`")
        pins.append(ClientPin(match["name"], match["version"], match["sha256"] or ""))
    return pins
