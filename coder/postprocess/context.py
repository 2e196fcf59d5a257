"""A completion's place in a buffer: the text around it, and what that text has open at the cursor."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from coder.api.completion import FinishReason, Mode
from coder.syntax.languages import CLOSERS, Literal, scan

REACH = 8000
"""Characters of the buffer, to either side of the cursor, that a filter looks at."""

TOP_LEVEL = re.compile(r"^[^\s)\]}]", re.MULTILINE)
"""A line that is not indented and does not begin with a closing bracket: hardly a bracket is open at its start."""


@dataclass(frozen=True)
class PostprocessContext:
    """The place of a completion.

    Attributes:
        prefix, suffix: the whole text before and behind the cursor.
        language: as the Language Server Protocol spells it; an unknown one is read like C.
        mode: a `line` ends with its line, a `block` with its scope.
        finish_reason: why the model stopped.
        replaces: how many characters of the suffix the completion stands in for: closing brackets.
        hidden: blanks at the prefix's end that the model was not shown; its text begins with them.
    """

    prefix: str
    suffix: str
    language: str
    mode: Mode = "block"
    finish_reason: FinishReason = "end"
    replaces: int = 0
    hidden: str = ""

    @cached_property
    def line_before(self) -> str:
        """The cursor's line up to the cursor."""
        return self.prefix[self.prefix.rfind("\n") + 1 :]

    @cached_property
    def line_behind(self) -> str:
        """The rest of the cursor's line, without what the completion stands in for."""
        return self.suffix_left.partition("\n")[0]

    @cached_property
    def suffix_left(self) -> str:
        """The suffix without what the completion stands in for."""
        return self.suffix[self.replaces :]

    @property
    def replaced(self) -> str:
        """The brackets that the completion stands in for."""
        return self.suffix[: self.replaces]

    @cached_property
    def starts_line(self) -> bool:
        """Return whether nothing but blanks stands before the cursor on its line."""
        return not self.line_before.strip()

    def lines_above(self) -> list[str]:
        """The lines above the cursor's that are not blank, the nearest first, within reach."""
        above = self.prefix[: len(self.prefix) - len(self.line_before)]
        return [line.rstrip() for line in reversed(above[-REACH:].split("\n")) if line.strip()]

    def lines_below(self) -> list[str]:
        """The lines below the cursor's that are not blank, the nearest first, within reach."""
        below = self.suffix_left[len(self.line_behind) :]
        return [line.rstrip() for line in below[:REACH].split("\n") if line.strip()]

    def completed_lines(self, text: str) -> list[str]:
        """The lines that the buffer would have with a completion in it, the cursor's line first."""
        lines = text.split("\n")
        lines[0] = self.line_before + lines[0]
        lines[-1] += self.line_behind
        return [line.rstrip() for line in lines]


@dataclass(frozen=True)
class SyntaxAtCursor:
    """Brackets and strings at the cursor.

    Attributes:
        open_before: the closing brackets for what is open at the cursor, the innermost first.
        closed_behind: those that are there behind it.
        wanted_closers: those that are missing there, in the order in which they are to come.
        inside: the string or comment that the cursor is in.
        ends_behind: whether the text behind the cursor ends that: within reach where it may span lines, else on the
            cursor's line; never so of a comment that ends with its line.
    """

    open_before: tuple[str, ...]
    closed_behind: tuple[str, ...]
    wanted_closers: tuple[str, ...]
    inside: Literal | None
    ends_behind: bool


def code_around(context: PostprocessContext) -> tuple[str, str]:
    """The code before and behind a completion: the top-level statements that the cursor is in, within reach."""
    return _since_top_level(context.prefix[-REACH:]), _up_to_top_level(context.suffix_left[:REACH])


def surroundings(context: PostprocessContext) -> SyntaxAtCursor:
    """The brackets and strings around a cursor, by the code within reach of it."""
    return _surroundings(context.prefix[-REACH:], context.suffix_left[:REACH], context.replaced, context.language)


@lru_cache(maxsize=8)
def _surroundings(prefix: str, suffix: str, replaced: str, language: str) -> SyntaxAtCursor:
    before = scan(_since_top_level(prefix), language)
    inside = before.inside
    ends_behind = inside is not None and _ends_in(suffix if inside.spans_lines else suffix.partition("\n")[0], inside)
    opened = before.closers
    closing = scan(_up_to_top_level(suffix), language, inside if ends_behind else None).unopened
    wanted = opened[: _missing(opened, closing)]
    to_write = [character for character in replaced if character in CLOSERS]
    wanted = max(to_write, wanted, key=len)
    return SyntaxAtCursor(tuple(opened), tuple(closing), tuple(wanted), inside, ends_behind)


def _missing(wanted: list[str], there: list[str]) -> int:
    """Return the number of wanted closing brackets that come before those that are there: as many as balance them, or,
    where those are others, the fewest."""
    counts = sorted(range(len(wanted) + 1), key=lambda count: len(wanted) - count != len(there))
    return next(count for count in counts if all(a == b for a, b in zip(wanted[count:], there, strict=False)))


def _ends_in(text: str, literal: Literal) -> bool:
    """Return whether a string or a comment ends in the text behind it: before another one of its kind begins; of quotes
    an even number are strings of their own."""
    if not literal.is_string:
        end = literal.end_in(text)
        return end is not None and literal.end != "\n" and literal.start not in text[:end]
    ends, position = 0, literal.end_in(text)
    while position is not None:
        ends, position = ends + 1, literal.end_in(text, position)
    return ends % 2 == 1


def _since_top_level(prefix: str) -> str:
    *_, start = (0, *(found.start() for found in TOP_LEVEL.finditer(prefix)))
    return prefix[start:]


def _up_to_top_level(suffix: str) -> str:
    line_end = suffix.find("\n")
    found = TOP_LEVEL.search(suffix, line_end + 1) if line_end >= 0 else None
    return suffix[: found.start()] if found else suffix
