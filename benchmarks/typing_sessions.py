"""Stretches of real code to be typed again, as a user types: key by key, with the editor's automatic indentation."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.held_out_packages import HELD_OUT_PACKAGES, held_out_package

Kind = Literal["block", "line", "prose"]
"""`block`: whole lines of a function, written at its end or in its middle. `line`: a part of a line, text behind it.
`prose`: a comment, or the first line of a docstring."""

MOST_LINES = 5
MOST_CHARACTERS = 160
FEWEST_CHARACTERS = 12

PROSE = re.compile(r'(?m)(?<=# )\w.*$|(?<=""")\w.*$')

PART_OF_A_LINE = re.compile(r"\b\w[^\n]{4,28}\w\b(?=[^\n]*\w)")


@dataclass(frozen=True)
class TypingSession:
    """A file, and a part of it that is typed between what stands before and after it."""

    package: str
    file: str
    kind: Kind
    before: str
    typed: str
    after: str

    def keystrokes(self) -> Iterator[str]:
        """A character each; with a line break comes the next line's indentation."""
        return iter(re.findall(r"\n[ \t]*|.", self.typed))


def typing_sessions(
    kind: Kind, count: int, seed: int = 0, packages: Sequence[str] = HELD_OUT_PACKAGES
) -> list[TypingSession]:
    """So many sessions, drawn from the packages' files; at most one from a function."""
    generator = random.Random(seed)
    found = [session for package in packages for session in _sessions(package, kind, generator)]
    generator.shuffle(found)
    return found[:count]


def _sessions(package: str, kind: Kind, generator: random.Random) -> Iterator[TypingSession]:
    code = held_out_package(package)
    for file in code.files:
        text = file.read_text(encoding="utf-8")
        name = file.relative_to(code.folder.parent).as_posix()
        for start, end in _spans(text, kind, generator):
            yield TypingSession(package, name, kind, text[:start], text[start:end], text[end:])


def _spans(text: str, kind: Kind, generator: random.Random) -> Iterator[tuple[int, int]]:
    if kind == "prose":
        yield from (found.span() for found in PROSE.finditer(text) if len(found.group()) >= FEWEST_CHARACTERS)
        return
    span_of = _lines_of if kind == "block" else _part_of
    for first, last in _bodies(text):
        if (span := span_of(text, first, last, generator)) is not None:
            yield span


def _bodies(text: str) -> Iterator[tuple[int, int]]:
    """First and last line, from 0, of what functions do, without their docstrings."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            statements = node.body[1:] if ast.get_docstring(node) else node.body
            if statements and (end := statements[-1].end_lineno):
                yield statements[0].lineno - 1, end - 1


def _lines_of(text: str, first: int, last: int, generator: random.Random) -> tuple[int, int] | None:
    """Some whole lines, from the first one's text on to the last one's end."""
    lines = text.split("\n")
    start_line = generator.randint(first, last)
    end_line = min(last, start_line + generator.randint(1, MOST_LINES) - 1)
    if not lines[start_line].strip() or not lines[end_line].strip():
        return None
    start = _offset(lines, start_line) + len(lines[start_line]) - len(lines[start_line].lstrip())
    end = _offset(lines, end_line) + len(lines[end_line])
    return (start, end) if FEWEST_CHARACTERS <= end - start <= MOST_CHARACTERS else None


def _part_of(text: str, first: int, last: int, generator: random.Random) -> tuple[int, int] | None:
    """Some words of a line that more words follow."""
    lines = text.split("\n")
    number = generator.randint(first, last)
    parts = list(PART_OF_A_LINE.finditer(lines[number]))
    if not parts:
        return None
    part, offset = generator.choice(parts), _offset(lines, number)
    return offset + part.start(), offset + part.end()


def _offset(lines: Sequence[str], number: int) -> int:
    return sum(len(line) + 1 for line in lines[:number])
