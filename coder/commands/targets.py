"""Places in files as a user writes them: `FILE:LINE`, `FILE:LINE:COL`, `FILE:LINE-LINE`. All numbers are 1-based."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from coder.errors import InputError

STDIN = "-"
"""The file name that means standard input."""

FILE_POSITION = re.compile(r"(?P<file>.+?):(?P<line>[0-9]{1,9})(?::(?P<column>[0-9]{1,9}))?", re.DOTALL)
POSITION = re.compile(r"(?P<line>[0-9]{1,9})(?::(?P<column>[0-9]{1,9}))?")
FILE_LINES = re.compile(r"(?P<file>.+):(?P<first>[0-9]{1,9})(?:-(?P<last>[0-9]{1,9}))?", re.DOTALL)


@dataclass(frozen=True)
class TargetPosition:
    """A place between two characters: before `column`, or at the end of the line when it is None."""

    line: int
    column: int | None = None


@dataclass(frozen=True)
class Target:
    """A file, or standard input, and a position in it. None is the end of the text."""

    file: str
    position: TargetPosition | None


@dataclass(frozen=True)
class LineRange:
    """Whole lines of a file, the last one included."""

    file: str
    first: int
    last: int


def parse_target(text: str, at: str | None = None) -> Target:
    """Read `FILE:LINE[:COL]`; or a plain file name, or `-`, with the position in `at`.

    Standard input without a position means the end of the text. Raises InputError.
    """
    if at is not None:
        return Target(text, parse_position(at))
    if text == STDIN:
        return Target(text, None)
    found = FILE_POSITION.fullmatch(text)
    if found is None:
        _refuse(text, "FILE:LINE or FILE:LINE:COL", "app.py:12:5")
    return Target(found["file"], _position(found, text))


def parse_position(text: str) -> TargetPosition:
    """Read `LINE[:COL]`. Raises InputError."""
    found = POSITION.fullmatch(text)
    if found is None:
        _refuse(text, "LINE or LINE:COL", "12:5")
    return _position(found, text)


def parse_line_range(text: str) -> LineRange:
    """Read `FILE:LINE` or `FILE:LINE-LINE`. Raises InputError."""
    found = FILE_LINES.fullmatch(text)
    if found is None:
        _refuse(text, "FILE:LINE or FILE:LINE-LINE", "app.py:12-14")
    first, last = int(found["first"]), int(found["last"] or found["first"])
    if not 1 <= first <= last:
        raise InputError(f"{text!r}: lines count from 1, and the last one cannot stand before the first")
    return LineRange(found["file"], first, last)


def _position(found: re.Match[str], text: str) -> TargetPosition:
    line, column = int(found["line"]), int(found["column"]) if found["column"] else None
    if line < 1 or column == 0:
        raise InputError(f"{text!r}: lines and columns count from 1")
    return TargetPosition(line, column)


def _refuse(text: str, form: str, example: str) -> NoReturn:
    raise InputError(f"{text!r} names no position: write {form}, for example {example}")
