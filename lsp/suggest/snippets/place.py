"""Where snippets are wanted, and what they may come from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

IDENTIFIER = re.compile(r"[^\W\d]\w{2,}")
"""Names of three letters or more; shorter ones say little."""


@dataclass(frozen=True)
class OpenFile:
    """A buffer of the editor. `path` is absolute; `text` has line feeds alone."""

    path: Path
    language: str
    text: str

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")


@dataclass(frozen=True)
class Place:
    """A line of an open file, counted from zero. `root` is the workspace folder that the file is in, if any."""

    file: OpenFile
    line: int
    root: Path | None = None

    def around(self, above: int, below: int) -> str:
        """The line with so many lines above and below it."""
        return "\n".join(self.file.lines[max(0, self.line - above) : self.line + below + 1])


def identifiers(text: str) -> set[str]:
    return set(IDENTIFIER.findall(text))
