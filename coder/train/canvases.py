"""From a row of training documents to the canvases that can be cut from it: clean, whole, each with its anchor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coder.model.checkpoint.config import ControlTokens
from coder.train.masking import Blocks
from coder.train.packed_rows import Role, Row

BEHIND_THE_END = 0.1
"""What a slot behind the end of a middle counts: such slots are easy and many."""

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Segment:
    """A stretch of a row that canvases are cut from, `start` to `end`; its first anchor is at `start - 1`.

    Attributes:
        ends: whether it is over there, with `<|fim_end|>`. If not, nothing is known of what follows.
    """

    start: int
    end: int
    ends: bool


@dataclass(frozen=True)
class Canvases:
    """N clean canvases of B slots.

    Attributes:
        tokens: int64 [N, B + 1], the anchor first. Behind the end of a middle stands `<|fim_end|>`, over and over.
        known: int64 [N], how many slots have a right token.
        counts: float64 [N, B + 1], what each slot counts in the loss before noise: 1, less behind the end, 0 for the
            anchor and for what is unknown.
        anchors: int64 [N], where in the row the anchor is.
    """

    tokens: IntArray
    known: IntArray
    counts: FloatArray
    anchors: IntArray

    def __len__(self) -> int:
        return len(self.tokens)

    def take(self, chosen: IntArray) -> Canvases:
        """The canvases of these numbers, in this order."""
        return Canvases(self.tokens[chosen], self.known[chosen], self.counts[chosen], self.anchors[chosen])

    def blocks(self, line_breaks: npt.NDArray[np.bool_], nodes: IntArray | None = None) -> Blocks:
        """The same as masking rules read them. `line_breaks`: bool [vocabulary], which tokens hold a line break."""
        return Blocks.of(self.tokens, self.known, line_breaks[self.tokens], nodes)


def segments(row: Row, control: ControlTokens, middles_only: bool = True) -> Iterator[Segment]:
    """The middles of a row, in order. With `middles_only` off each prefix too: what stands between `<|fim_prefix|>` and
    the middle, or all that is before the middle of a document without one. Suffixes are context only."""
    borders = np.flatnonzero((np.diff(row.roles) != 0) | (np.diff(row.documents) != 0)) + 1
    for start, end in zip([0, *borders], [*borders, len(row.roles)], strict=True):
        role = row.roles[start]
        if role == Role.MIDDLE and start > 0:
            yield Segment(int(start), int(end), row.tokens[end - 1] == control.fim_end)
        elif role == Role.CONTEXT and not middles_only:
            marks = np.flatnonzero(row.tokens[start:end] == control.fim_prefix)
            first = start + (marks[-1] if len(marks) else 0) + 1
            if first < end:
                yield Segment(int(first), int(end), ends=False)


def cut_canvases(row: Row, found: list[Segment], size: int, control: ControlTokens) -> Canvases:
    """Cut every segment into canvases of `size` slots from its first token on."""
    column = np.arange(size)
    parts: list[Canvases] = []
    for segment in found:
        first = np.arange(segment.start, segment.end, size)
        place = first[:, None] + column
        real = place < segment.end
        tokens = row.tokens[np.minimum(place, segment.end - 1)].astype(np.int64)
        slots = np.where(real, tokens, control.fim_end)
        known = np.full(len(first), size) if segment.ends else real.sum(axis=1)
        counts = np.where(real, 1.0, BEHIND_THE_END if segment.ends else 0.0)
        anchor = row.tokens[first - 1].astype(np.int64)
        parts.append(
            Canvases(_with_anchor(anchor, slots), known, _with_anchor(np.zeros(len(first)), counts), first - 1)
        )
    if not parts:
        nothing = np.zeros((0, size + 1))
        return Canvases(nothing.astype(np.int64), np.zeros(0, np.int64), nothing, np.zeros(0, np.int64))
    return Canvases(
        np.concatenate([part.tokens for part in parts]),
        np.concatenate([part.known for part in parts]),
        np.concatenate([part.counts for part in parts]),
        np.concatenate([part.anchors for part in parts]),
    )


def _with_anchor(anchor: npt.NDArray, slots: npt.NDArray) -> npt.NDArray:
    return np.concatenate([anchor[:, None], slots], axis=1)
