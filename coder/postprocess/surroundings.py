"""What the code around the cursor has open there, and what it closes behind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from coder.postprocess.context import REACH, PostprocessContext
from coder.syntax.lexing import CLOSERS, PAIRS, Literal, scan

TOP_LEVEL = re.compile(r"^[^\s)\]}]", re.MULTILINE)
"""A line that is not indented and does not begin with a closing bracket: hardly a bracket is open at its start."""


@dataclass(frozen=True)
class Surroundings:
    """What the code around the cursor says about brackets and strings at the cursor.

    Attributes:
        open_before: the closing brackets for what is open at the cursor, the innermost first.
        closed_behind: those that are there behind it.
        wanted_closers: those that are missing there, in the order in which they are to come.
        inside: the string or comment that the cursor is in.
        ends_behind: whether that is a string that ends on the cursor's line, behind the cursor.
    """

    open_before: tuple[str, ...]
    closed_behind: tuple[str, ...]
    wanted_closers: tuple[str, ...]
    inside: Literal | None
    ends_behind: bool


def surroundings(context: PostprocessContext) -> Surroundings:
    return _surroundings(context.prefix[-REACH:], context.suffix_left[:REACH], context.replaced, context.language)


@lru_cache(maxsize=8)
def _surroundings(prefix: str, suffix: str, replaced: str, language: str) -> Surroundings:
    before = scan(_since_top_level(prefix), language)
    inside = before.inside
    ends_behind = inside is not None and inside.is_string and _ends_on(suffix.partition("\n")[0], inside)
    opened = [PAIRS[bracket] for bracket in reversed(before.unclosed)]
    closing = scan(_up_to_top_level(suffix), language, inside if ends_behind else None).unopened
    wanted = opened[: _missing(opened, closing)]
    to_write = [character for character in replaced if character in CLOSERS]
    wanted = max(to_write, wanted, key=len)
    return Surroundings(tuple(opened), tuple(closing), tuple(wanted), inside, ends_behind)


def _missing(wanted: list[str], there: list[str]) -> int:
    """How many of the closing brackets that are wanted come before those that are there: as many as make it even, or,
    where those are others, the fewest."""
    counts = sorted(range(len(wanted) + 1), key=lambda count: len(wanted) - count != len(there))
    return next(count for count in counts if all(a == b for a, b in zip(wanted[count:], there, strict=False)))


def _ends_on(line: str, string: Literal) -> bool:
    """Whether a string ends on the rest of its line; an even number of quotes there are strings of their own."""
    ends, position = 0, string.end_in(line)
    while position is not None:
        ends, position = ends + 1, string.end_in(line, position)
    return ends % 2 == 1


def _since_top_level(prefix: str) -> str:
    *_, start = (0, *(found.start() for found in TOP_LEVEL.finditer(prefix)))
    return prefix[start:]


def _up_to_top_level(suffix: str) -> str:
    line_end = suffix.find("\n")
    found = TOP_LEVEL.search(suffix, line_end + 1) if line_end >= 0 else None
    return suffix[: found.start()] if found else suffix
