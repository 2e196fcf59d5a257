"""A model that repeats itself does not stop by itself."""

from __future__ import annotations

import re

from coder.postprocess.context import PostprocessContext

LINES_OF_A_CYCLE = 6
TIMES = 3
"""So many times the same lines, with letters in them, one after the other are a loop."""

IN_A_LINE = re.compile(r"(?=\S*[^\W\d_])(\S.{0,59}?)\1{3,}")
"""Something with a letter in it, four times or more."""

RULER = re.compile(r"(\S)\1{99,}")
"""One character over and over; a ruler in a comment is shorter."""


def loops(text: str, context: PostprocessContext) -> str | None:
    """The text up to where it begins to go round: before a line that stutters, behind the first of equal lines."""
    lines = text.split("\n")
    for index, line in enumerate(lines):
        if _stutters(line):
            return "\n".join(lines[:index])
        for length in range(1, LINES_OF_A_CYCLE + 1):
            if _cycles(lines, index, length):
                return "\n".join(lines[: index + length])
    return text


def _stutters(line: str) -> bool:
    return RULER.search(line) is not None or any(
        re.search(r"[^\W\d_]", found.group(1)) for found in IN_A_LINE.finditer(line)
    )


def _cycles(lines: list[str], start: int, length: int) -> bool:
    """Whether the `length` lines from `start` come `TIMES` times."""
    cycle = [line.strip() for line in lines[start : start + length]]
    if len(lines) < start + length * TIMES or not any(character.isalpha() for character in "".join(cycle)):
        return False
    repeated = (line.strip() for line in lines[start + length : start + length * TIMES])
    return all(line == cycle[index % length] for index, line in enumerate(repeated))
