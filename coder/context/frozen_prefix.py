"""The text before a cursor in two parts: one that a prompt keeps as it is, and what was written since.

A model that is shown the prefix, the suffix, and then what was written keeps everything in its cache while the user
types, as long as the first part stays. So it is frozen where the user began to write.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from coder.context.window import (
    CHARACTERS_PER_TOKEN_AT_MOST,
    TokenCounter,
    estimate_tokens,
    prefix_start,
)

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
