"""An editor's own idea of its buffers, written apart from the server's: it counts columns by encoding lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
"""How a line is encoded, and the bytes of a unit of its columns."""


@dataclass
class Buffer:
    """A text at a version. Positions are of the protocol, in the encoding."""

    uri: str
    text: str
    encoding: str = "utf-16"
    version: int = 1

    def offset(self, line: int, column: int) -> int:
        """Characters before a position. AssertionError for one outside the text, UnicodeError inside a character."""
        starts = [0, *(found.end() for found in re.finditer("\r\n|\r|\n", self.text))]
        assert line < len(starts), f"there is no line {line}"
        content = re.split("[\r\n]", self.text[starts[line] :], maxsplit=1)[0]
        codec, width = CODECS[self.encoding]
        encoded = content.encode(codec, "surrogatepass")
        assert column * width <= len(encoded), f"line {line} has no column {column}"
        return starts[line] + len(encoded[: column * width].decode(codec))

    def position(self, offset: int) -> tuple[int, int]:
        before = re.split("\r\n|\r|\n", self.text[:offset])
        codec, width = CODECS[self.encoding]
        return len(before) - 1, len(before[-1].encode(codec, "surrogatepass")) // width

    def range(self, start: int, end: int) -> dict[str, dict[str, int]]:
        """As it goes over the wire."""
        first, last = self.position(start), self.position(end)
        return {
            "start": {"line": first[0], "character": first[1]},
            "end": {"line": last[0], "character": last[1]},
        }

    def place_of(self, part: str) -> dict[str, dict[str, int]]:
        start = self.text.index(part)
        return self.range(start, start + len(part))

    def spans(self, edits: Sequence[Any]) -> list[tuple[int, int, str]]:
        """The characters that text edits replace, and by what, in order. They may not overlap."""
        found = sorted(
            (
                self.offset(edit.range.start.line, edit.range.start.character),
                self.offset(edit.range.end.line, edit.range.end.character),
                edit.newText if hasattr(edit, "newText") else edit.new_text,
            )
            for edit in edits
        )
        for before, after in pairwise(found):
            assert before[1] <= after[0], "edits overlap"
        return found

    def apply(self, edits: Sequence[Any]) -> None:
        """Change the text as `TextEdit`s say: all of them are about the text as it is now."""
        for start, end, text in reversed(self.spans(edits)):
            self.text = self.text[:start] + text + self.text[end:]
        self.version += 1

    def apply_workspace_edit(self, edit: Any) -> None:
        """Apply a versioned edit. Raises AssertionError if it is for another document or version."""
        changes = edit.documentChanges if hasattr(edit, "documentChanges") else edit.document_changes
        (change,) = changes
        document = change.textDocument if hasattr(change, "textDocument") else change.text_document
        assert (document.uri, document.version) == (self.uri, self.version)
        self.apply(change.edits)
