"""The editor's buffers, exactly as the editor has them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lsp.client import PositionEncoding

LINE_BREAK = re.compile(r"\r\n|\n|\r")
"""The line breaks of the protocol. Python's `splitlines` knows more, which editors do not count as such."""


@dataclass(frozen=True)
class Document:
    """A text buffer at one version.

    Lines and columns count from zero; columns in units of the encoding agreed on with the editor.
    """

    uri: str
    language: str
    version: int
    text: str
    encoding: PositionEncoding = "utf-16"

    def offset(self, line: int, column: int) -> int:
        """Characters before a position. A column behind the line's end means its end, a line behind the last the
        text's end, a column inside a character the place before it."""
        if line >= len(self._line_starts):
            return len(self.text)
        content = self.line(line)
        return self._line_starts[line] + _characters(content, column, self.encoding)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of the place behind so many characters."""
        line = bisect_right(self._line_starts, offset) - 1
        start = self._line_starts[line]
        return line, _units(self.text[start:offset], self.encoding)

    def line(self, number: int) -> str:
        """A line without its break."""
        start = self._line_starts[number]
        is_last = number + 1 == len(self._line_starts)
        end = len(self.text) if is_last else self._line_starts[number + 1]
        return self.text[start:end] if is_last else LINE_BREAK.sub("", self.text[start:end])

    def changed(self, start: int, end: int, text: str, version: int) -> Document:
        """The buffer with `text` in place of the characters from `start` to `end`."""
        start, end = min(start, end), max(start, end)
        joined = self.text[:start] + text + self.text[end:]
        return Document(self.uri, self.language, version, joined, self.encoding)

    @cached_property
    def _line_starts(self) -> Sequence[int]:
        return [0, *(found.end() for found in LINE_BREAK.finditer(self.text))]


@dataclass
class Documents:
    """All open buffers, and which of them are cells of a notebook, in what order."""

    by_uri: dict[str, Document] = field(default_factory=dict)
    notebooks: dict[str, list[str]] = field(default_factory=dict)

    def get(self, uri: str) -> Document | None:
        return self.by_uri.get(uri)

    def put(self, document: Document) -> None:
        self.by_uri[document.uri] = document

    def close(self, uri: str) -> None:
        self.by_uri.pop(uri, None)

    def cells_before(self, uri: str) -> Iterator[Document]:
        """The cells above this one in its notebook that are written in the same language, top to bottom."""
        cells = next((cells for cells in self.notebooks.values() if uri in cells), [])
        document = self.by_uri.get(uri)
        for cell in cells[: cells.index(uri)] if cells and document else []:
            above = self.by_uri.get(cell)
            if above and document and above.language == document.language:
                yield above


def _units(text: str, encoding: PositionEncoding) -> int:
    """Length of a text in code units. Half a surrogate pair is a unit, and counts as three bytes."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    return sum(_width(character, encoding) for character in text)


def _characters(text: str, units: int, encoding: PositionEncoding) -> int:
    """How many characters lie in so many code units at the start of a text."""
    if encoding == "utf-32" or text.isascii():
        return min(units, len(text))
    passed = 0
    for index, character in enumerate(text):
        passed += _width(character, encoding)
        if passed > units:
            return index
    return len(text)


def _width(character: str, encoding: PositionEncoding) -> int:
    if encoding == "utf-16":
        return 1 + (character > "\uffff")
    return 1 + (character > "\x7f") + (character > "\u07ff") + (character > "\uffff")
