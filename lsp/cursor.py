"""Where a suggestion is asked for, and when none is wanted."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lsp.extent import Extent, extent_at

WORD = re.compile(r"\w")


@dataclass(frozen=True)
class Cursor:
    """A place in a buffer, as the model sees it: with `\\n` as the only line break.

    Attributes:
        uri: of the buffer. language: its name in the protocol.
        prefix, suffix: the whole text before and behind the place. Where an entry of the completion menu is selected,
            the prefix ends with that entry, as if it had been accepted.
        start, end: the range of the buffer, in characters, that a suggestion stands in for; both are the place itself
            unless an entry is selected.
        selected: the selected entry's text, with which a suggestion has to begin.
        above: the cells above in the same notebook, joined.
    """

    uri: str
    language: str
    prefix: str
    suffix: str
    start: int
    end: int
    selected: str = ""
    above: str = ""

    @property
    def extent(self) -> Extent:
        return extent_at(self.suffix)

    @property
    def is_inside_word(self) -> bool:
        return bool(WORD.match(self.prefix[-1:]) and WORD.match(self.suffix[:1]))


def unix_line_breaks(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
