"""Brackets without their other end: what indentation says of them, which a grammar does not read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from coder.syntax.languages import CLOSERS, PAIRS, scan
from coder.syntax.line_corrections import Correction, indentation_of

AS_DEEP_AS_THE_HEAD = re.compile(r"#|(?:case|default)\b|\w+\s*:(?!:)|[)\]}]")
"""The beginnings of lines inside a block that may be no deeper than the line that begins it: labels, directives."""


@dataclass(frozen=True)
class _CodeLine:
    """A line that begins with code; `end` is behind its last character, `brackets` those that are code."""

    text: str
    end: int
    brackets: tuple[str, ...]

    @property
    def indentation(self) -> str:
        return indentation_of(self.text)


@dataclass(frozen=True)
class _Opened:
    """A bracket that is open, and the indentation of the line that it is on."""

    bracket: str
    indentation: str


def missing_braces(text: str, language: str) -> Iterator[Correction]:
    """Braces that begin a block, behind each line that is followed by a deeper one and opens nothing; and those that
    end one, on lines of their own, before each line that is no deeper than the one that began the block, and at the end
    of the text."""
    lines = list(_lines_of_code(text, language))
    for line, next_line in pairwise(lines):
        deeper = next_line.indentation != line.indentation and next_line.indentation.startswith(line.indentation)
        if deeper and not any(bracket in PAIRS for bracket in line.brackets[-1:]):
            yield Correction(line.end, line.end, " {")
    yield from _missing_ends(lines)


def _missing_ends(lines: Sequence[_CodeLine]) -> Iterator[Correction]:
    opened: list[_Opened] = []
    end = 0
    for line in lines:
        while opened and opened[-1].bracket == "{" and _is_outside(line, opened[-1]):
            yield Correction(end, end, f"\n{opened.pop().indentation}}}")
        for bracket in line.brackets:
            if bracket in PAIRS:
                opened.append(_Opened(bracket, line.indentation))
            elif opened:
                opened.pop()
        end = line.end
    yield from (Correction(end, end, f"\n{each.indentation}}}") for each in reversed(opened) if each.bracket == "{")


def _is_outside(line: _CodeLine, opened: _Opened) -> bool:
    code = line.text.lstrip()
    return len(line.indentation) <= len(opened.indentation) and not AS_DEEP_AS_THE_HEAD.match(code)


def _lines_of_code(text: str, language: str) -> Iterator[_CodeLine]:
    found = scan(text, language)
    inside = [False] * len(text)
    for first, last in found.literals:
        inside[first + 1 : last] = [True] * (last - first - 1)
    brackets = list(reversed(found.brackets))
    start = 0
    for line in text.split("\n"):
        end = start + len(line.rstrip())
        of_line: list[str] = []
        while brackets and brackets[-1][0] < end:
            of_line.append(brackets.pop()[1])
        if line.strip() and not inside[start]:
            yield _CodeLine(line, end, tuple(of_line))
        start += len(line) + 1


def bracket_faults(text: str, language: str) -> int:
    """The number of brackets that lack their other end, and of those that begin a line less or more deep than the line
    that the other end is on."""
    opened: list[_Opened] = []
    faults = 0
    for place, bracket in scan(text, language).brackets:
        line = text[text.rfind("\n", 0, place) + 1 : place + 1]
        indentation = indentation_of(line)
        if bracket not in CLOSERS:
            opened.append(_Opened(bracket, indentation))
            continue
        begun = max((index for index, each in enumerate(opened) if PAIRS[each.bracket] == bracket), default=None)
        if begun is None:
            faults += 1
        else:
            faults += len(opened) - 1 - begun + (line.strip() == bracket and opened[begun].indentation != indentation)
            del opened[begun:]
    return faults + len(opened)
