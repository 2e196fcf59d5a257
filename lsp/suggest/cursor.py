"""A place where a suggestion is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from coder.api.completion import Mode
from coder.context.window import closing_brackets
from coder.editing.hole_borders import is_inside_line
from lsp.documents import Document

WORD = re.compile(r"\w")


@dataclass(frozen=True)
class Cursor:
    """A place in a document, as the model sees it: with line feeds as the only line breaks.

    Attributes:
        document: with line feeds alone.
        start, end: the range, in characters, that a suggestion stands in for: empty, unless an entry of the completion
            menu is selected.
        selected: that entry's text. A suggestion goes on behind it, as if it had been accepted.
        above: the cells above in the same notebook.
    """

    document: Document
    start: int
    end: int
    selected: str = ""
    above: str = ""

    @cached_property
    def prefix(self) -> str:
        """The whole text before what is to be written."""
        return self.above + self.document.text[: self.start] + self.selected

    @cached_property
    def suffix(self) -> str:
        return self.document.text[self.end :]

    @cached_property
    def replaces(self) -> int:
        """Characters behind the cursor that a suggestion replaces: closing brackets that are alone on the rest of the
        line, which the model writes itself."""
        return len(closing_brackets(self.suffix))

    @cached_property
    def mode(self) -> Mode:
        """The extent of a suggestion: a block where only blanks and closing brackets follow on the line."""
        return "line" if is_inside_line(self.suffix) else "block"

    @property
    def is_inside_word(self) -> bool:
        text = self.document.text
        return bool(WORD.match(text[: self.start][-1:]) and WORD.match(text[self.end : self.end + 1]))


def cursor_in(document: Document, start: int, end: int, selected: str = "", cells: Iterable[Document] = ()) -> Cursor:
    """A cursor, or the range of a selected menu entry, by offsets of `document.unix`."""
    above = "".join(f"{cell.unix.text}\n\n" for cell in cells)
    return Cursor(document.unix, start, end, selected, above)
