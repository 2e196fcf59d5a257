"""An index of texts by every n-gram up to `DEEPEST` words: it finds what followed the same words elsewhere.

An index is a value: adding files makes a new one that shares what has not changed, so a reader needs no lock. Files
are kept in segments, the larger first; a new segment is joined with its neighbours as soon as it is not much smaller
(a log-structured merge), so that a change costs little and a question looks into few segments.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from coder.context.words import (
    BORDER,
    WordIds,
    WordVocabulary,
    essence,
    indentation,
    may_grow,
    split_words,
    written_out,
)

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
    def of(files: Mapping[str, WordIds], vocabulary: WordVocabulary) -> IndexSegment:
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

    def occurrences(self, essences: Sequence[int]) -> dict[int, int]:
        """Return how often each of the words stands in live files, those that do not left out."""
        places = np.flatnonzero(np.isin(self.essences, essences))
        if not self.live.all():
            places = places[self.live[np.searchsorted(self.starts, places, side="right") - 1]]
        found, counts = np.unique(self.essences[places], return_counts=True)
        return dict(zip(found.tolist(), counts.tolist(), strict=True))

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


QUERY_CHARACTERS = 400
"""Characters of a text's end that are looked at: more than its last `DEEPEST` words, as a rule."""

MOST_PLACES = 128
"""Places of a context that are read; where there are more, these stand for all."""

MOST_GROWING = 1024
"""Places that are looked at for words that a text's last, unfinished one may become."""

GROWTH = 2
"""A segment is this many times as large as the next one, at least."""

LARGEST_SEGMENT = 1_000_000
"""Words of a segment that is made by joining others: sorting needs some fifty bytes for each, for a moment."""


@dataclass(frozen=True)
class Match:
    """The continuations of some words of context, wherever they stand.

    Attributes:
        depth: the words of context that are the same; an unfinished word is one.
        continuations: each text that follows, with how often it does.
    """

    depth: int
    continuations: Mapping[str, int]

    @property
    def count(self) -> int:
        return sum(self.continuations.values())


@dataclass(frozen=True)
class NgramIndex:
    """An immutable index; see the module. `vocabulary` is shared by all that were made from the same one."""

    vocabulary: WordVocabulary = field(default_factory=WordVocabulary)
    segments: tuple[IndexSegment, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of all files."""
        return [name for segment in self.segments for name in segment.live_names]

    @property
    def word_count(self) -> int:
        return sum(segment.live_words for segment in self.segments)

    @property
    def nbytes(self) -> int:
        return self.vocabulary.nbytes + sum(segment.nbytes for segment in self.segments)

    def with_files(self, texts: Mapping[str, str]) -> NgramIndex:
        """Return the index in which these files have these texts."""
        added = IndexSegment.of({name: self.vocabulary.add(text) for name, text in texts.items()}, self.vocabulary)
        return NgramIndex(self.vocabulary, _merged([*self.without(texts).segments, added], self.vocabulary))

    def without(self, names: Collection[str]) -> NgramIndex:
        """Return the index without some files. A segment keeps their memory until half of it is dead."""
        return NgramIndex(
            self.vocabulary, _merged([segment.without(names) for segment in self.segments], self.vocabulary)
        )

    def hiding(self, names: Collection[str]) -> NgramIndex:
        """Return the index without some files for a short time: nothing is moved."""
        return NgramIndex(self.vocabulary, tuple(segment.without(names) for segment in self.segments))

    def beside(self, texts: Mapping[str, str]) -> NgramIndex:
        """Return the index with some more files for a short time: nothing is moved."""
        added = IndexSegment.of({name: self.vocabulary.add(text) for name, text in texts.items()}, self.vocabulary)
        return NgramIndex(self.vocabulary, (*self.segments, added))

    def endings(self, beginning: str) -> dict[str, int]:
        """Return what words that begin so go on with to their ends, wherever they stand, and how often each occurs; an
        empty text where `beginning` is a word itself."""
        numbers = self.vocabulary.beginning_with(beginning)
        counts: Counter[int] = Counter()
        for segment in self.segments:
            counts.update(segment.occurrences(numbers))
        return {self.vocabulary.word(number)[len(beginning) :]: count for number, count in counts.items()}

    def matches(self, before: str, width: int = 4) -> Iterator[Match]:
        """Yield what follows a text, by the longest context first, then by ever shorter ones that add something new.

        Args:
            before: the text; a word at its end may be unfinished, and what follows then finishes it.
            width: words of each continuation, at most.
        """
        query = Query.of(before)
        if query is None:
            return
        numbers = self.vocabulary.find(map(essence, query.words))
        places = [_Places(segment, numbers, query, self.vocabulary) for segment in self.segments]
        seen = told = 0
        for depth in range(max((place.depth for place in places), default=0), 0, -1):
            if (count := sum(place.count(depth) for place in places)) == seen:
                continue
            seen = count
            texts: Counter[str] = Counter()
            for place in places:
                texts.update(place.continuations(depth, width))
            del texts[""]
            if texts.total() > told:
                told = texts.total()
                yield Match(depth, texts)


@dataclass(frozen=True)
class Query:
    """The end of a text whose continuation is wanted.

    Attributes:
        words: its last words.
        indentation: of the line that is continued.
        line_break: the last word, if it is a line's end and the blanks behind it; the indentation is then of the line
            that it ends.
        unfinished: the last word without the blank before it, if it may become another.
    """

    words: list[str]
    indentation: str
    line_break: str = ""
    unfinished: str = ""

    @staticmethod
    def of(before: str) -> Query | None:
        """Return the query; None where there is no word to look up."""
        end = before[-QUERY_CHARACTERS:]
        # The first word may have lost its beginning.
        words = split_words(end)[len(before) > QUERY_CHARACTERS :][-DEEPEST:]
        if not words:
            return None
        last = words[-1]
        if "\n" in last:
            ended = end[: len(end) - len(last)].rpartition("\n")[2]
            line_break = "\n" * last.count("\n") + last[last.rindex("\n") + 1 :]
            return Query(words, indentation(ended), line_break=line_break)
        unfinished = (last.lstrip(" ") or last) if may_grow(last) else ""
        return Query(words, indentation(end.rpartition("\n")[2]), unfinished=unfinished)


class _Places:
    """The places where a segment continues a query, by the depth of the context."""

    def __init__(self, segment: IndexSegment, numbers: list[int], query: Query, vocabulary: WordVocabulary) -> None:
        self._segment = segment
        self._query = query
        self._vocabulary = vocabulary
        self._exact = segment.ranges(numbers)
        self._growing = segment.ranges(numbers[:-1]) if query.unfinished else []

    @property
    def depth(self) -> int:
        return max(len(self._exact), len(self._growing) + 1 if self._growing else 0)

    def count(self, depth: int) -> int:
        """Return how many places there are; a shorter context has those of a longer one, and perhaps more."""
        ranges = [*self._exact[depth - 1 : depth], *self._growing[max(depth - 2, 0) : max(depth - 1, 1)]]
        return sum(high - low for low, high in ranges)

    def continuations(self, depth: int, width: int) -> Counter[str]:
        """Return the texts that follow `depth` words of context, and how often each does."""
        texts: Counter[str] = Counter()
        if depth <= len(self._exact):
            positions = self._segment.positions(*self._exact[depth - 1], MOST_PLACES)
            if self._query.line_break:
                texts.update(self._texts(positions - 1, width + 1, self._behind_line_break))
            else:
                texts.update(self._texts(positions, width, self._behind))
        if self._growing and depth - 1 <= len(self._growing):
            # Without a word of context before it the word could become anything.
            positions = self._segment.positions(*self._growing[max(depth - 2, 0)], MOST_GROWING)
            unfinished = self._query.unfinished
            # What begins with a blank is told from the words, everything else from their essences.
            kind = self._segment.words if unfinished.isspace() else self._segment.essences
            grows = self._vocabulary.growing(kind[positions], unfinished)
            texts.update(self._texts(positions[grows][:MOST_PLACES], width, self._behind_unfinished))
        return texts

    def _texts(self, positions: Positions, width: int, behind: Callable[[list[str]], str]) -> Counter[str]:
        rows = Counter(map(tuple, self._segment.following(positions, width).tolist()))
        texts: Counter[str] = Counter()
        for row, count in rows.items():
            texts[behind(self._vocabulary.words(row))] += count
        return texts

    def _behind(self, words: list[str]) -> str:
        return written_out(words, self._query.indentation)

    def _behind_line_break(self, words: list[str]) -> str:
        """Return the text in the indentation that the place suggests, or else in the one that is there already."""
        text, line_break = self._behind(words), self._query.line_break
        if text.startswith(line_break):
            return text[len(line_break) :]
        return written_out(words[1:], line_break.lstrip("\n"))

    def _behind_unfinished(self, words: list[str]) -> str:
        text, unfinished = self._behind(words), self._query.unfinished
        return text[len(unfinished) :] if unfinished.isspace() else text.lstrip(" ")[len(unfinished) :]


def _merged(segments: list[IndexSegment], vocabulary: WordVocabulary) -> tuple[IndexSegment, ...]:
    """Return the segments, none of them half dead, each `GROWTH` times as large as the next unless both are large."""
    segments = sorted((segment for segment in segments if segment.live_words), key=lambda segment: -segment.live_words)
    while len(segments) > 1:
        before, last = segments[-2:]
        joined = before.live_words + last.live_words
        if last.live_words * GROWTH <= before.live_words or joined > LARGEST_SEGMENT:
            break
        del segments[-2:]
        segments.append(IndexSegment.of({**before.files(), **last.files()}, vocabulary))
        segments.sort(key=lambda segment: -segment.live_words)
    return tuple(
        IndexSegment.of(segment.files(), vocabulary) if segment.live_words * 2 < len(segment.order) else segment
        for segment in segments
    )
