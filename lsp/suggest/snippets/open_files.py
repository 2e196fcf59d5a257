"""The buffers of an editor, the places where they were edited lately, and which files may be shown to the model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from pathspec import GitIgnoreSpec

from coder.context.files import SECRET_CONTENTS, allowed, readable

IDENTIFIER = re.compile(r"[^\W\d]\w{2,}")
"""Names of three letters or more; shorter ones are too common."""


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


def identifiers(text: str) -> set[str]:
    return set(IDENTIFIER.findall(text))


REMEMBERED = 16

REACH = 6
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
        """Something was changed from `line` on; so many line breaks went and came."""
        shift = added_lines - removed_lines
        moved = (
            replace(edit, line=max(line, edit.line + shift)) if edit.path == path and edit.line > line else edit
            for edit in self._edits
        )
        apart = [edit for edit in moved if edit.path != path or abs(edit.line - line) > REACH]
        self._edits = [*apart, RecentEdit(path, line)][-REMEMBERED:]

    @property
    def edits(self) -> Sequence[RecentEdit]:
        return tuple(self._edits)


def edited_text(edit: RecentEdit, file: OpenFile) -> str:
    """The lines around an edit, as they are now."""
    return "\n".join(file.lines[max(0, edit.line - REACH) : edit.line + REACH + 1]).strip("\n")


class Readable:
    """The rules of one workspace folder, remembered file by file; make a new one for every gathering.

    Args:
        root: the folder; None for a file that is in none.
        trusted: whether the user trusts the workspace. Files that are not open are read in a trusted one alone.
        exclude: globs, as in `.gitignore`.
    """

    def __init__(self, root: Path | None, trusted: bool, exclude: Sequence[str] = ()) -> None:
        self._root = root
        self._trusted = trusted
        self._exclude = GitIgnoreSpec.from_lines(exclude)
        self._allowed: dict[Path, bool] = {}

    def may_show(self, file: OpenFile) -> bool:
        """Return whether an open file's text may be used, as its name, the ignore files and the text itself tell."""
        return self._may_open(file.path) and not any(mark.decode() in file.text for mark in SECRET_CONTENTS)

    def read(self, path: Path) -> str | None:
        """A file of the workspace, with line feeds alone; None where it may not be read or cannot."""
        if not self._trusted or self._root is None or not path.is_relative_to(self._root):
            return None
        if self._is_excluded(path, self._root) or not readable(path, self._root):
            return None
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def _may_open(self, path: Path) -> bool:
        if path not in self._allowed:
            root = self._root if self._root is not None and path.is_relative_to(self._root) else path.parent
            self._allowed[path] = not self._is_excluded(path, root) and allowed(path, root)
        return self._allowed[path]

    def _is_excluded(self, path: Path, root: Path) -> bool:
        return self._exclude.match_file(path.relative_to(root).as_posix())
