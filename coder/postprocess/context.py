"""What a filter knows besides the text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from coder.api.completion import FinishReason

Mode = Literal["line", "block"]

REACH = 8000
"""How many characters of the buffer, to either side of the cursor, a filter looks at."""


@dataclass(frozen=True)
class PostprocessContext:
    """Where a completion would stand.

    Attributes:
        prefix, suffix: the whole text before and behind the cursor.
        language: as the Language Server Protocol spells it; an unknown one is read like C.
        mode: a `line` ends with its line, a `block` with its scope.
        finish_reason: why the model stopped.
        replaces: how many characters of the suffix the completion stands in for: closing brackets.
    """

    prefix: str
    suffix: str
    language: str
    mode: Mode = "block"
    finish_reason: FinishReason = "end"
    replaces: int = 0

    @cached_property
    def line_before(self) -> str:
        """The cursor's line up to the cursor."""
        return self.prefix[self.prefix.rfind("\n") + 1 :]

    @cached_property
    def line_behind(self) -> str:
        """What stays of the cursor's line behind it."""
        return self.suffix_left.partition("\n")[0]

    @cached_property
    def suffix_left(self) -> str:
        """The suffix without what the completion stands in for."""
        return self.suffix[self.replaces :]

    @property
    def replaced(self) -> str:
        """The brackets that the completion stands in for."""
        return self.suffix[: self.replaces]


def lines_above(context: PostprocessContext) -> list[str]:
    """The lines above the cursor's that are not blank, the nearest first, as far as anybody looks."""
    above = context.prefix[: len(context.prefix) - len(context.line_before)]
    return [line.rstrip() for line in reversed(above[-REACH:].split("\n")) if line.strip()]


def lines_below(context: PostprocessContext) -> list[str]:
    """The lines below the cursor's that are not blank, the nearest first, as far as anybody looks."""
    below = context.suffix_left[len(context.line_behind) :]
    return [line.rstrip() for line in below[:REACH].split("\n") if line.strip()]


def completed_lines(text: str, context: PostprocessContext) -> list[str]:
    """The lines that the buffer would have, the cursor's first, as the text is written into it."""
    lines = text.split("\n")
    lines[0] = context.line_before + lines[0]
    lines[-1] += context.line_behind
    return [line.rstrip() for line in lines]
