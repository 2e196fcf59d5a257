"""An editor's own idea of its buffers, written apart from the server's: it counts columns by encoding lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from lsprotocol import types

CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
"""How a line is encoded, and the bytes of a unit of its columns."""

Replacement = tuple[int, int, str]
"""The characters from a start to an end give way to a text."""

WireRange = dict[str, dict[str, int]]


@dataclass
class Buffer:
    """A text at a version. Positions are of the protocol, in the encoding."""

    uri: str
    text: str
    encoding: str = "utf-16"
    version: int = 1

    @property
    def identifier(self) -> dict[str, Any]:
        """The document at its version, as it goes over the wire."""
        return {"uri": self.uri, "version": self.version}

    def offset(self, line: int, column: int) -> int:
        """Characters before a position. AssertionError for one outside the text, UnicodeError inside a character."""
        starts = [0, *(found.end() for found in re.finditer("\r\n|\r|\n", self.text))]
        assert line < len(starts), f"there is no line {line}"
        content = re.split("[\r\n]", self.text[starts[line] :], maxsplit=1)[0]
        codec, width = CODECS[self.encoding]
        encoded = content.encode(codec, "surrogatepass")
        assert column * width <= len(encoded), f"line {line} has no column {column}"
        return starts[line] + len(encoded[: column * width].decode(codec, "surrogatepass"))

    def position(self, offset: int) -> tuple[int, int]:
        before = re.split("\r\n|\r|\n", self.text[:offset])
        codec, width = CODECS[self.encoding]
        return len(before) - 1, len(before[-1].encode(codec, "surrogatepass")) // width

    def whole(self, offset: int) -> int:
        """The place, or the one before it where it lies inside a line break."""
        return offset - (self.text[max(0, offset - 1) : offset + 1] == "\r\n")

    def range(self, start: int, end: int) -> WireRange:
        """As it goes over the wire."""
        first, last = self.position(start), self.position(end)
        return {
            "start": {"line": first[0], "character": first[1]},
            "end": {"line": last[0], "character": last[1]},
        }

    def spans(self, edits: Sequence[Any]) -> list[Replacement]:
        """What text edits replace, and by what, in order. AssertionError where they overlap."""
        found = sorted(
            (
                self.offset(edit.range.start.line, edit.range.start.character),
                self.offset(edit.range.end.line, edit.range.end.character),
                _either(edit, "newText", "new_text"),
            )
            for edit in edits
        )
        for before, after in pairwise(found):
            assert before[1] <= after[0], "edits overlap"
        return found

    def replacements(self, edit: Any) -> list[Replacement]:
        """What a versioned edit replaces. AssertionError if it is for another document, or another version."""
        (change,) = _either(edit, "documentChanges", "document_changes")
        document = _either(change, "textDocument", "text_document")
        assert (document.uri, document.version) == (self.uri, self.version)
        return self.spans(change.edits)

    def apply(self, edits: Sequence[Any]) -> None:
        """Change the text as text edits say, all of which are about the text as it is now."""
        for start, end, text in reversed(self.spans(edits)):
            self.text = self.text[:start] + text + self.text[end:]
        self.version += 1

    def apply_workspace_edit(self, edit: Any) -> None:
        """Change the text as a versioned edit says."""
        self.replacements(edit)
        (change,) = _either(edit, "documentChanges", "document_changes")
        self.apply(change.edits)


def as_range(place: Any) -> types.Range:
    """A range of whatever came over the wire."""
    if isinstance(place, dict):
        return types.Range(types.Position(**place["start"]), types.Position(**place["end"]))
    return types.Range(
        types.Position(place.start.line, place.start.character), types.Position(place.end.line, place.end.character)
    )


def _either(value: Any, *names: str) -> Any:
    """The attribute of one of these names: results of our own methods keep the wire's."""
    return next(getattr(value, name) for name in names if hasattr(value, name))
