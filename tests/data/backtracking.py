"""Regular expressions that need linear time, told by their form: measured times tell nothing on a busy machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _constants as opcodes  # pyright: ignore[reportAttributeAccessIssue]
from re import _parser as parser  # pyright: ignore[reportAttributeAccessIssue]
from typing import Any


def backtracking_repeats(pattern: re.Pattern[str]) -> list[Any]:
    """The unbounded repeats of a pattern that give back what they took when the rest does not match.

    Where there are none, every repeat is possessive, and a match goes over the text once for each alternative.
    """
    return list(_repeats(parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)))


def _repeats(part: Any) -> Iterator[Any]:
    match part:
        case (opcodes.MAX_REPEAT | opcodes.MIN_REPEAT, (_, opcodes.MAXREPEAT, _)):
            yield part
        case parser.SubPattern() | tuple() | list():
            for item in part:
                yield from _repeats(item)
