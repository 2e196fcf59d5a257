"""Where the user has edited lately: what was changed there is often wanted here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lsp.suggest.snippets.place import OpenFile

REMEMBERED = 16

REACH = 6
"""Lines above and below an edit that belong to it."""


@dataclass(frozen=True)
class Edit:
    path: Path
    line: int


class RecentEdits:
    """The last places of edits, the newest last. They move with the text when lines come or go above them."""

    def __init__(self) -> None:
        self._edits: list[Edit] = []

    def note(self, path: Path, line: int, removed_lines: int = 0, added_lines: int = 0) -> None:
        """Something was changed from `line` on; so many line breaks went and came."""
        shift = added_lines - removed_lines
        moved = (
            replace(edit, line=max(line, edit.line + shift)) if edit.path == path and edit.line > line else edit
            for edit in self._edits
        )
        apart = [edit for edit in moved if edit.path != path or abs(edit.line - line) > REACH]
        self._edits = [*apart, Edit(path, line)][-REMEMBERED:]

    @property
    def edits(self) -> Sequence[Edit]:
        return tuple(self._edits)


def edited_text(edit: Edit, file: OpenFile) -> str:
    """The lines around an edit, as they are now."""
    return "\n".join(file.lines[max(0, edit.line - REACH) : edit.line + REACH + 1]).strip("\n")
