"""A file's text, as examples are cut from it."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from coder.syntax.languages import language_named
from data.pack.pieces import SourcePieces, pieces_of

UNUSUAL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\r\ud800-\udfff\U00040000-\U0010ffff]")
"""Characters that vocabularies lack, that no encoding can write, or that would make a line's end ambiguous."""

LEAST_CHARACTERS = 40


@dataclass(frozen=True)
class SourceText:
    """Attributes:
    path: inside its package, with forward slashes. version: of the package; may be empty.
    """

    text: str
    language: str
    path: str
    package: str = ""
    version: str = ""

    @property
    def usable(self) -> bool:
        return len(self.text.strip()) >= LEAST_CHARACTERS and not UNUSUAL.search(self.text)

    @property
    def comment(self) -> str:
        """The beginning of a comment in its language."""
        known = language_named(self.language)
        return (known and known.comment) or "#"

    @property
    def pieces(self) -> SourcePieces:
        """The places of its functions, blocks and expressions; none without a grammar for its language."""
        return pieces_of(self.text, self.language)

    def generator(self, seed: int, number: int) -> random.Random:
        """The random numbers of one example: the same in whatever process and order it is made."""
        return random.Random(f"{seed}\n{self.package}\n{self.version}\n{self.path}\n{number}")

    def line_start(self, position: int) -> int:
        return self.text.rfind("\n", 0, position) + 1

    def line_end(self, position: int) -> int:
        """Before the line break."""
        end = self.text.find("\n", position)
        return len(self.text) if end < 0 else end

    def lines(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The lines of a region that hold something, each without its line break and cut at the region's end. One that
        begins before the region counts only if it is blank up to there."""
        first = self.line_start(start)
        if self.text[first:start].strip():
            first = self.line_end(start) + 1
        while first < end:
            stop = min(self.line_end(first), end)
            if self.text[first:stop].strip():
                yield first, stop
            first = stop + 1
