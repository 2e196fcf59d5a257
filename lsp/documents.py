"""The editor's buffers, exactly as the editor has them, and the paths that their URIs name."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from urllib.parse import unquote, urlsplit

from lsprotocol import types
from pygls.uris import to_fs_path

from lsp.wire.client import PositionEncoding

DRIVE = re.compile(r"/(?=[A-Za-z]:)")


def path_named(uri: str) -> PurePath:
    """Return the path that a URI of any scheme names, to be compared with others: on Windows one file is written as
    `file:///c%3A/a.py` and `file:///C:/a.py`, by the same editor."""
    parts = urlsplit(uri)
    path = unquote(parts.path) or uri
    if parts.scheme == "file" and parts.netloc not in ("", "localhost"):
        return PureWindowsPath(f"//{parts.netloc}{path}")
    return PureWindowsPath(path[1:]) if DRIVE.match(path) else PurePosixPath(path)


def path_in_folder(uri: str, folders: Iterable[str]) -> PurePath:
    """Return the path seen from the innermost of the folders that it is in; the whole path where it is in none."""
    path = path_named(uri)
    inside = [folder for folder in map(path_named, folders) if path.is_relative_to(folder)]
    return path.relative_to(max(inside, key=lambda folder: len(folder.parts))) if inside else path


def file_path(uri: str) -> Path | None:
    """Return the file of a document; None for one that is nowhere on this machine, or a part of another file."""
    path = to_fs_path(uri)
    return Path(path) if path else None


def workspace_of(path: Path, folders: Iterable[str]) -> Path | None:
    """Return the innermost workspace folder that a file is in."""
    roots = [root for uri in folders if (root := file_path(uri)) is not None and path.is_relative_to(root)]
    return max(roots, key=lambda root: len(root.parts), default=None)


LINE_BREAK = re.compile(r"\r\n|\n|\r")
"""The line breaks of the protocol. Python's `splitlines` knows more, which editors do not count as such."""


Position = tuple[int, int]


@dataclass(frozen=True)
class TextChange:
    """A new text for a range, given by the positions of its ends; for the whole document where there is no range."""

    text: str
    range: tuple[Position, Position] | None = None


@dataclass(frozen=True)
class Document:
    """A text buffer at one version.

    Lines and columns count from zero; columns in units of the encoding agreed on with the editor.

    Attributes:
        after_deletion: whether the last change only took text away.
    """

    uri: str
    language: str
    version: int
    text: str
    encoding: PositionEncoding = "utf-16"
    after_deletion: bool = False

    def offset(self, line: int, column: int) -> int:
        """Characters before a position. A column behind the line's end means its end, a line behind the last the
        text's end, a column inside a character the place before it."""
        if line >= len(self._line_starts):
            return len(self.text)
        content = self.line(line)
        return self._line_starts[line] + _characters(content, column, self.encoding)

    def position(self, offset: int) -> Position:
        """Line and column of an offset in characters."""
        line = bisect_right(self._line_starts, offset) - 1
        start = self._line_starts[line]
        return line, _units(self.text[start:offset], self.encoding)

    def line(self, number: int) -> str:
        """A line without its break."""
        start = self._line_starts[number]
        is_last = number + 1 == len(self._line_starts)
        end = len(self.text) if is_last else self._line_starts[number + 1]
        return self.text[start:end] if is_last else LINE_BREAK.sub("", self.text[start:end])

    def changed(self, changes: Sequence[TextChange], version: int) -> Document:
        """The buffer after changes, each of which refers to the text that the one before left."""
        document = self
        for change in changes:
            if change.range is None:
                start, end = 0, len(document.text)
            else:
                start, end = sorted(document.offset(*place) for place in change.range)
            document = replace(document, text=document.text[:start] + change.text + document.text[end:])
        deletion = bool(changes) and all(change.range is not None and not change.text for change in changes)
        return replace(document, version=version, after_deletion=deletion)

    @cached_property
    def unix(self) -> Document:
        """The same text with line feeds alone, as the model reads it. Positions are the same in both."""
        return replace(self, text=LINE_BREAK.sub("\n", self.text)) if "\r" in self.text else self

    def range(self, start: int, end: int) -> types.Range:
        """The protocol's range between two offsets."""
        return types.Range(types.Position(*self.position(start)), types.Position(*self.position(end)))

    def text_edit(self, start: int, end: int, text: str) -> types.TextEdit:
        """Return the edit that puts `text`, with the document's line breaks, between two offsets of `unix`."""
        return types.TextEdit(self.unix.range(start, end), text.replace("\n", self.line_break))

    @property
    def line_break(self) -> str:
        """The first line break of the text, which inserted text uses as well."""
        found = LINE_BREAK.search(self.text)
        return found.group() if found else "\n"

    def units(self, text: str) -> int:
        """Length of any text in the units of columns."""
        return _units(text, self.encoding)

    @cached_property
    def _line_starts(self) -> Sequence[int]:
        return [0, *(found.end() for found in LINE_BREAK.finditer(self.text))]


def place_of(position: types.Position) -> Position:
    return position.line, position.character


def changes_of(events: Iterable[types.TextDocumentContentChangeEvent]) -> list[TextChange]:
    """The changes that a notification of the protocol carries."""
    return [
        TextChange(event.text, (place_of(event.range.start), place_of(event.range.end)))
        if isinstance(event, types.TextDocumentContentChangePartial)
        else TextChange(event.text)
        for event in events
    ]


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

    def cells_before(self, document: Document) -> Iterator[Document]:
        """The cells above this one in its notebook that are written in the same language, top to bottom."""
        cells = next((cells for cells in self.notebooks.values() if document.uri in cells), [document.uri])
        for uri in cells[: cells.index(document.uri)]:
            cell = self.by_uri.get(uri)
            if cell is not None and cell.language == document.language:
                yield cell


def _units(text: str, encoding: PositionEncoding) -> int:
    """Length of a text in code units. Half a surrogate pair is a unit, and counts as three bytes."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    return sum(_width(character, encoding) for character in text)


def _characters(text: str, units: int, encoding: PositionEncoding) -> int:
    """Count the characters in the first `units` code units of a text."""
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
class PlaceInFile:
    """A line of an open file, counted from zero. `root` is the workspace folder that the file is in, if any."""

    file: OpenFile
    line: int
    root: Path | None = None

    def around(self, above: int, below: int) -> str:
        """The line with so many lines above and below it."""
        return "\n".join(self.file.lines[max(0, self.line - above) : self.line + below + 1])


REMEMBERED_EDITS = 16

EDIT_REACH = 6
"""Lines above and below an edit that belong to it."""


@dataclass(frozen=True)
class RecentEdit:
    path: Path
    line: int


class RecentEdits:
    """The last places of edits, the newest last. They move with the text when lines come or go above them."""

    def __init__(self) -> None:
        self._edits: list[RecentEdit] = []

    def note(self, path: Path, line: int, removed_lines: int = 0, added_lines: int = 0) -> None:
        """Note a change from `line` on that removed and added so many lines."""
        shift = added_lines - removed_lines
        moved = (
            replace(edit, line=max(line, edit.line + shift)) if edit.path == path and edit.line > line else edit
            for edit in self._edits
        )
        apart = [edit for edit in moved if edit.path != path or abs(edit.line - line) > EDIT_REACH]
        self._edits = [*apart, RecentEdit(path, line)][-REMEMBERED_EDITS:]

    @property
    def edits(self) -> Sequence[RecentEdit]:
        return tuple(self._edits)
