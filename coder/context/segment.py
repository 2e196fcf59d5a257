"""A part of the index that never changes: some files' words, and their places sorted by what stands before them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from coder.context.words import BORDER, Vocabulary, WordIds

DEEPEST = 16
"""Words of context by which places are sorted; a power of two."""

LONGEST_CONTINUATION = 32
"""Words that may be asked for behind a place."""

Positions = npt.NDArray[np.int32]


@dataclass(frozen=True)
class IndexSegment:
    """A suffix array of the reversed text, cut at `DEEPEST` words: places that follow the same words are neighbours.

    Words are the same here if their essences are.

    Attributes:
        names: of the F files.
        words: int32 [N], the files' words one after the other, borders between and around them.
        essences: int32 [N], of these words.
        starts: int64 [F], where each file begins in it.
        order: int32 [P], the positions of all words, sorted by the word before, then the one before that, and so on.
        live: bool [F], the files that count.
    """

    names: tuple[str, ...]
    words: WordIds
    essences: WordIds
    starts: npt.NDArray[np.int64]
    order: Positions
    live: npt.NDArray[np.bool_]

    @staticmethod
    def of(files: Mapping[str, WordIds], vocabulary: Vocabulary) -> IndexSegment:
        border = np.full(1, BORDER, np.int32)
        pieces = [np.full(DEEPEST, BORDER, np.int32)]
        for words in files.values():
            pieces += [words, border]
        pieces.append(np.full(LONGEST_CONTINUATION, BORDER, np.int32))
        joined = np.concatenate(pieces)
        lengths = np.array([len(words) + 1 for words in files.values()], np.int64)
        starts = DEEPEST + np.cumsum(lengths) - lengths
        essences = vocabulary.essences(joined)
        return IndexSegment(
            tuple(files), joined, essences, starts, sorted_by_context(essences), np.ones(len(files), bool)
        )

    @property
    def nbytes(self) -> int:
        return self.words.nbytes + self.essences.nbytes + self.order.nbytes + self.starts.nbytes

    @cached_property
    def live_words(self) -> int:
        return int(self._lengths[self.live].sum())

    @property
    def live_names(self) -> list[str]:
        return [name for name, live in zip(self.names, self.live.tolist(), strict=True) if live]

    def files(self) -> dict[str, WordIds]:
        """Return the live files' words."""
        return {
            name: self.words[start : start + length]
            for name, start, length, live in zip(self.names, self.starts, self._lengths, self.live, strict=True)
            if live
        }

    def without(self, names: Collection[str]) -> IndexSegment:
        """Return the segment with some files that count no more."""
        kept = self.live & np.array([name not in names for name in self.names], bool)
        return self if kept.sum() == self.live.sum() else replace(self, live=kept)

    def ranges(self, context: Sequence[int]) -> list[tuple[int, int]]:
        """For 1, 2, ... words of the context's end, as long as they are found: the range of `order` behind them."""
        essences, order = self._views
        found: list[tuple[int, int]] = []
        low, high = 0, len(order)
        for depth, word in enumerate(reversed(context[-DEEPEST:]), start=1):

            def before(index: int, depth: int = depth) -> int:
                return essences[order[index] - depth]

            low = bisect_left(range(high), word, low, high, key=before)
            high = bisect_right(range(high), word, low, high, key=before)
            if low == high:
                break
            found.append((low, high))
        return found

    def positions(self, low: int, high: int, most: int) -> Positions:
        """Positions of a range in live files, evenly thinned out before that to at most `most`."""
        positions = self.order[low : high : -(-(high - low) // most)]
        if self.live.all():
            return positions
        return positions[self.live[np.searchsorted(self.starts, positions, side="right") - 1]]

    def following(self, positions: Positions, width: int) -> WordIds:
        """Return the words at each position and behind it, int32 [N, width], borders alone after a file's end."""
        rows = self.words[positions[:, None] + np.arange(width)]
        rows[np.cumsum(rows == BORDER, axis=1) > 0] = BORDER
        return rows

    @cached_property
    def _lengths(self) -> npt.NDArray[np.int64]:
        ends = np.append(self.starts[1:], len(self.words) - LONGEST_CONTINUATION)
        return ends - self.starts - 1

    @cached_property
    def _views(self) -> tuple[memoryview, memoryview]:
        """Essences and order for reading single items, which is several times slower in an array."""
        return self.essences.data, self.order.data


def sorted_by_context(words: WordIds) -> Positions:
    """Return the positions of all words but borders, sorted by the `DEEPEST` words before them, the nearest first.

    Prefix doubling (Manber and Myers, 1993) over the reversed text: ranks by 1, 2, 4, ... words of context.
    """
    rank = np.zeros(len(words), np.int64)
    rank[1:] = words[:-1]
    depth = 1
    while True:
        deeper = rank * (int(rank.max(initial=0)) + 1)
        deeper[depth:] += rank[:-depth]
        order = np.argsort(deeper)
        depth *= 2
        if depth == DEEPEST:
            return order[words[order] != BORDER].astype(np.int32)
        ascending = deeper[order]
        rank[order] = np.cumsum(np.append(0, ascending[1:] != ascending[:-1]))
