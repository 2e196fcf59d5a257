"""The part of the text around a hole that the model is given.

A model reads some hundreds of tokens, a file has more. The window's borders are chosen so that typing rarely moves
them: what the cache holds of the last request then serves the next one. A model that is shown the prefix, the suffix,
and then what was written keeps everything in its cache while the user types, as long as the prefix stays: it is frozen
where the user began to write.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
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
        prefix: ends at the hole, or where it is frozen (`FrozenPrefix`).
        written: the text between a frozen prefix and the hole.
        suffix: begins behind the hole and `replaced`.
        replaced: closing brackets that are alone between the hole and the line's end. The model is not shown them and
            writes them itself, so its text stands in their place too.
        line_break: behind the hole and `replaced`, where the model is not shown it and writes it itself.
    """

    prefix: str
    suffix: str
    replaced: str = ""
    written: str = ""
    line_break: str = ""

    def without_line_break(self, text: str) -> str:
        """Return a text that the model wrote, without the line break that stays behind the hole."""
        return text.removesuffix("\n").removesuffix("\r") if self.line_break else text


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


def line_break_at(suffix: str) -> str:
    """Return the line break that a suffix begins with, if any."""
    return next((line_break for line_break in ("\r\n", "\n") if suffix.startswith(line_break)), "")


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


FROZEN_TOKENS = 512
"""The most of a frozen part, when it has grown. All other lengths are shares of it."""

LINES_ABOVE, LINES_APART = 3, 8
"""A split is at least so many lines above the cursor, at a line whose number is a multiple of the other."""

HEAD = 200
"""Characters at a window's start by which it is found again where something behind them has changed."""

REMEMBERED = 16
"""Places, of all documents together."""


@dataclass(frozen=True)
class FrozenPrefix:
    """Offsets in the text before a cursor: the model is shown it from `start` on; at `split` the frozen part ends, and
    what was written since begins."""

    start: int
    split: int


@dataclass(frozen=True)
class Budget:
    """The most tokens that each part of a prefix may have; `frozen` is of the frozen part.

    A new frozen part is shorter than the most it may have, so that it can grow when the split moves.
    """

    frozen: int = FROZEN_TOKENS

    @property
    def new(self) -> int:
        return max(1, self.frozen * 3 // 4)

    @property
    def written(self) -> int:
        return max(1, self.frozen * 5 // 16)


def freeze(prefix: str, count_tokens: TokenCounter = estimate_tokens, budget: Budget = Budget()) -> FrozenPrefix:
    """Return the frozen part for a cursor of which nothing else is known: the same for many prefixes that follow each
    other, so that requests without a memory share what is cached."""
    split = split_of(prefix, count_tokens, budget.written)
    return FrozenPrefix(prefix_start(prefix[:split], count_tokens, budget.new), split)


def split_of(prefix: str, count_tokens: TokenCounter, tokens: int) -> int:
    """Return the offset of a split with at most `tokens` behind it: a line start some lines above the cursor; a
    character of the cursor's line where that is too long."""
    reach = tokens * CHARACTERS_PER_TOKEN_AT_MOST
    for split in _candidates(prefix, tokens):
        if len(prefix) - split <= reach and count_tokens(prefix[split:]) <= tokens:
            return split
    return len(prefix)


def _candidates(prefix: str, mesh: int) -> Iterator[int]:
    """Yield places for a split, the best first: multiples of some lines, the cursor's line, multiples of characters."""
    line = prefix.count("\n")
    for above, apart in ((LINES_ABOVE, LINES_APART), (1, LINES_APART // 2), (0, 1)):
        number = max(0, line - above) // apart * apart
        yield _line_start(prefix, line - number)
    for step in (max(1, mesh), mesh // 8 or 1):
        yield max(0, len(prefix) // step - 1) * step


def _line_start(prefix: str, above: int) -> int:
    """Return where the line begins that is so many above the cursor's."""
    start = len(prefix)
    for _ in range(above + 1):
        start = prefix.rfind("\n", 0, start)
    return start + 1


@dataclass(frozen=True)
class _Place:
    """A frozen part by its text; `whole`: it was all there was before the split."""

    document: str
    text: str
    whole: bool

    def start_in(self, prefix: str, reach: int) -> int | None:
        """Return where its text stands in a prefix, at most `reach` characters before the end; None if nowhere."""
        return self._found(self.text, prefix, reach)

    def window_start_in(self, prefix: str, reach: int) -> int | None:
        """Return where its text begins in a prefix, although more of it may have changed; None if nowhere."""
        return self._found(self.text[:HEAD], prefix, reach)

    def _found(self, text: str, prefix: str, reach: int) -> int | None:
        if self.whole:
            return 0 if prefix.startswith(text) and len(prefix) - len(text) <= reach else None
        start = prefix.rfind(text, max(0, len(prefix) - len(text) - reach))
        return None if start < 0 else start


class FrozenPrefixes:
    """The frozen parts of the places where a user writes, in any documents.

    A split stays while the cursor is behind it and near, and the text shown before it is unchanged; changes above that
    do not matter. When it must move, it moves once, and the window's start stays as long as there is room for it.
    """

    def __init__(self, count_tokens: TokenCounter = estimate_tokens, budget: Budget = Budget()) -> None:
        self._count_tokens = count_tokens
        self._budget = budget
        self._places: OrderedDict[_Place, None] = OrderedDict()
        """The one used last is the last."""

    def at(self, document: str, prefix: str) -> FrozenPrefix:
        """Return the frozen part for a cursor behind `prefix`, and remember it."""
        frozen = self.ahead(document, prefix)
        place = _Place(document, prefix[frozen.start : frozen.split], frozen.start == 0)
        self._places[place] = None
        self._places.move_to_end(place)
        while len(self._places) > REMEMBERED:
            self._places.popitem(last=False)
        return frozen

    def ahead(self, document: str, prefix: str) -> FrozenPrefix:
        """Return the same for a prefix that may come, and remember nothing."""
        places = [place for place in reversed(self._places) if place.document == document]
        for place in places:
            if (frozen := self._kept(place, prefix)) is not None:
                return frozen
        # Less than may be written behind it, so that it stays for a while.
        split = split_of(prefix, self._count_tokens, self._budget.written // 2)
        for place in places:
            if (start := self._start_kept(place, prefix, split)) is not None:
                return FrozenPrefix(start, split)
        return FrozenPrefix(prefix_start(prefix[:split], self._count_tokens, self._budget.new), split)

    def _kept(self, place: _Place, prefix: str) -> FrozenPrefix | None:
        """The frozen part of a place, if the cursor is still near behind it."""
        start = place.start_in(prefix, self._budget.written * CHARACTERS_PER_TOKEN_AT_MOST)
        if start is None:
            return None
        split = start + len(place.text)
        return FrozenPrefix(start, split) if self._count_tokens(prefix[split:]) <= self._budget.written else None

    def _start_kept(self, place: _Place, prefix: str, split: int) -> int | None:
        """The start of the window of a place, if the text up to a new split fits into it and is the same at first."""
        start = place.window_start_in(prefix, self._budget.frozen * CHARACTERS_PER_TOKEN_AT_MOST)
        if start is None or start > split:
            return None
        return start if self._count_tokens(prefix[start:split]) <= self._budget.frozen else None
