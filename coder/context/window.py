"""The part of the text around a hole that the model is given.

A model reads some hundreds of tokens, a file has more. The window's borders are chosen so that typing rarely moves
them: what the cache holds of the last request then serves the next one.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

PREFIX_TOKENS = 512
SUFFIX_TOKENS = 256

CHARACTERS_PER_TOKEN_AT_MOST = 8
"""Characters that are looked at for each token of a budget: code averages three to four."""

CLOSING_BRACKETS = re.compile(r"[ \t]*[)\]}][)\]} \t]*(?=[\r\n]|\Z)")

TokenCounter = Callable[[str], int]
"""Count the tokens of a text; 0 for an empty one."""


@dataclass(frozen=True)
class Window:
    """The text that the model is given.

    Attributes:
        prefix: ends at the hole, or where it is frozen (`coder.context.frozen_prefix`).
        written: the text between a frozen prefix and the hole.
        suffix: begins behind the hole and `replaced`.
        replaced: closing brackets that are alone between the hole and the line's end. The model is not shown them and
            writes them itself, so its text stands in their place too.
    """

    prefix: str
    suffix: str
    replaced: str = ""
    written: str = ""


REMEMBERED_LINES = 4096


class LineTokenCounter:
    """Counts the tokens of a text line by line, with a memory: between two keystrokes all lines but one are the same.

    It is exact but for runs of blanks across line breaks, which the tokenizer may cut otherwise.
    """

    def __init__(self, encode: Callable[[str], Sequence[int]]) -> None:
        self._count = lru_cache(maxsize=REMEMBERED_LINES)(lambda line: len(encode(line)))

    def __call__(self, text: str) -> int:
        return sum(map(self._count, text.splitlines(keepends=True)))


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of code without a tokenizer, rather too many than too few."""
    return -(-len(text) // 3)


def average_tokens(text: str) -> int:
    """Estimate the same as it is on average, for budgets that may be exceeded a little."""
    return -(-len(text) // 4)


def window(
    prefix: str,
    suffix: str,
    count_tokens: TokenCounter = estimate_tokens,
    prefix_tokens: int = PREFIX_TOKENS,
    suffix_tokens: int = SUFFIX_TOKENS,
    replace_brackets: bool = True,
) -> Window:
    """Cut the text around a hole to budgets in tokens, independent of each other.

    `count_tokens` sees at most `CHARACTERS_PER_TOKEN_AT_MOST` characters for each token of a budget, however long the
    text is. Without `replace_brackets` the whole suffix stays where it is.
    """
    replaced = closing_brackets(suffix) if replace_brackets else ""
    start = prefix_start(prefix, count_tokens, prefix_tokens)
    end = suffix_end(suffix[len(replaced) :], count_tokens, suffix_tokens)
    return Window(prefix[start:], suffix[len(replaced) : len(replaced) + end], replaced)


def joint_window(
    texts: Sequence[str], count_tokens: TokenCounter, prefix_tokens: int, suffix_tokens: int
) -> tuple[str, ...] | None:
    """Cut the texts around several holes to budgets: the text before the first hole to one, all behind it to the other.

    None where the last hole would be cut off.
    """
    first, *between, last = texts
    left = suffix_tokens - sum(map(count_tokens, between))
    if left < 0:
        return None
    start, end = prefix_start(first, count_tokens, prefix_tokens), suffix_end(last, count_tokens, left)
    return (first[start:], *between, last[:end])


def closing_brackets(suffix: str) -> str:
    """Return the rest of the line when it is closing brackets and blanks alone, else an empty text."""
    found = CLOSING_BRACKETS.match(suffix)
    return found.group() if found else ""


def replaced_characters(answer: str, brackets: str) -> int:
    """Return how many characters of the suffix an answer stands in for: all of `Window.replaced` or none.

    It stands in for them where it closes at least as many brackets more than it opens as there are in them.
    """
    closers = sum(answer.count(bracket) for bracket in ")]}")
    openers = sum(answer.count(bracket) for bracket in "([{")
    needed = sum(character in ")]}" for character in brackets)
    return len(brackets) if closers - openers >= needed else 0


def prefix_start(prefix: str, count_tokens: TokenCounter, budget: int) -> int:
    """Return the start of a prefix's window: the start of a line wherever that is possible.

    Only the line starts behind the points of a grid are borders, and the grid's mesh is as many characters as the
    budget has tokens, about a third of the window. So the border stays while tens of lines are typed, and then jumps.
    Where that would leave less than half of the budget in use (long lines, tables of numbers), the mesh is finer.
    """
    region = max(0, len(prefix) - budget * CHARACTERS_PER_TOKEN_AT_MOST)
    coarse, fine = max(1, budget), max(1, budget // 8)

    def fits(start: int) -> bool:
        return count_tokens(prefix[start:]) <= budget

    def reaches_far(start: int) -> bool:
        return start < region + coarse or count_tokens(prefix[start:]) * 2 >= budget

    for candidates in (
        _line_starts(prefix, _grid(region, len(prefix), coarse)),
        _line_starts(prefix, _grid(region, len(prefix), fine)),
        _grid(region, len(prefix), fine),
    ):
        index = bisect_left(candidates, True, key=fits)
        if index < len(candidates) and reaches_far(candidates[index]):
            return candidates[index]
    return bisect_left(range(len(prefix)), True, lo=region, key=fits)


def suffix_end(suffix: str, count_tokens: TokenCounter, budget: int) -> int:
    """Return the end of a suffix's window: the text's end, else a line's, else wherever the budget is spent."""
    region = min(len(suffix), budget * CHARACTERS_PER_TOKEN_AT_MOST)
    if region == len(suffix) and count_tokens(suffix) <= budget:
        return region
    end = bisect_left(range(region), True, key=lambda end: count_tokens(suffix[: end + 1]) > budget)
    line_end = suffix.rfind("\n", 0, end) + 1
    return line_end if budget / 2 <= count_tokens(suffix[:line_end]) <= budget else end


def _grid(start: int, end: int, mesh: int) -> range:
    """Return the multiples of `mesh` from `start` to `end`, both included."""
    return range(-(-start // mesh) * mesh, end + 1, mesh)


def _line_starts(text: str, grid: range) -> Sequence[int]:
    """Return the first line start at or behind each point of the grid that has one."""
    starts = (text.find("\n", point - 1) + 1 if point else 0 for point in grid)
    return sorted({start for point, start in zip(grid, starts, strict=True) if start or not point})
