"""Which slots of a training canvas are masked: one slot at a time, or together what an editor's user leaves out.

Uniform masking leaves every hole surrounded by hints; infilling has to write runs, lines, what follows a cursor, whole
expressions. Every rule masks the share of a block that its noise level says, on average, so the loss and its weights
(`coder.train.noising`) stay those of masked diffusion (MDLM, arXiv:2406.07524; LLaDA, arXiv:2502.09992); the rules
differ in which slots are masked together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

Generator = np.random.Generator


@dataclass(frozen=True)
class Blocks:
    """N clean canvases, each whole: an anchor and B slots (Block Diffusion, arXiv:2503.09573).

    Attributes:
        tokens: int64 [N, B + 1], the anchor first. Where a middle ends inside the canvas, end tokens follow it.
        known: int64 [N], how many slots behind the anchor have a right token: B, or fewer where the block is cut by
            the end of a prefix. Those behind the cut are always masked and carry no loss.
        line_breaks: bool [N, B + 1], whether a token holds a line break, and so is the last of its line.
        nodes: int64 [K, 3], syntax nodes that lie within a block: its row, the node's first column and the column
            behind its last one. They may be nested.
    """

    tokens: IntArray
    known: IntArray
    line_breaks: BoolArray
    nodes: IntArray

    @staticmethod
    def of(
        tokens: IntArray,
        known: IntArray | None = None,
        line_breaks: BoolArray | None = None,
        nodes: IntArray | None = None,
    ) -> Blocks:
        """Blocks of which no more is known than what is given: all slots, on one line, without syntax."""
        return Blocks(
            tokens,
            np.full(len(tokens), tokens.shape[1] - 1, np.int64) if known is None else known,
            np.zeros(tokens.shape, np.bool_) if line_breaks is None else line_breaks,
            np.zeros((0, 3), np.int64) if nodes is None else nodes,
        )

    @property
    def slots(self) -> BoolArray:
        """bool [N, B + 1]: what can be learned, so neither an anchor nor a slot behind a cut."""
        column = np.arange(self.tokens.shape[1])
        return (column > 0) & (column <= self.known[:, None])


class Masking(Protocol):
    """A rule that chooses slots."""

    def choose(self, blocks: Blocks, rate: FloatArray, generator: Generator) -> BoolArray:
        """Choose a share `rate[n]` of the slots of block n, on average over draws: bool [N, B + 1]. What it says of an
        anchor or of a slot behind a cut counts for nothing (see `mask`).

        Args:
            rate: float64 [N] in [0, 1], 1 - alpha(t) of each block.
        """
        ...


def mask(masking: Masking, blocks: Blocks, rate: FloatArray, generator: Generator) -> BoolArray:
    """The masked slots, bool [N, B + 1]: what the rule chooses and all that lies behind a cut; never an anchor."""
    return _whole(masking.choose(blocks, rate, generator), blocks)


def complement(masked: BoolArray, blocks: Blocks) -> BoolArray:
    """The other half of a complementary pair: together both mask every slot exactly once, so that every token is
    learned from (Fast-dLLM v2, arXiv:2509.26328). Its noise level is 1 - t under the linear schedule."""
    return _whole(~masked, blocks)


@dataclass(frozen=True)
class Independent:
    """Every slot by itself."""

    def choose(self, blocks: Blocks, rate: FloatArray, generator: Generator) -> BoolArray:
        return generator.random(blocks.tokens.shape) < rate[:, None]


@dataclass(frozen=True)
class Spans:
    """Runs of slots of geometric length (SpanBERT, arXiv:1907.10529), at least `mean_length` on average.

    A Markov chain along the block: a masked slot is followed by a visible one with probability 1/L, and the other way
    round such that the share of masked ones is the rate. Rates near 1 need longer runs, as the visible ones between
    them are one slot at least.
    """

    mean_length: float = 4.0

    def __post_init__(self) -> None:
        if not self.mean_length >= 1.0:
            raise ValueError(f"a span has at least 1 slot, not {self.mean_length}")

    def choose(self, blocks: Blocks, rate: FloatArray, generator: Generator) -> BoolArray:
        visible = 1.0 - rate
        leave = np.minimum(1.0 / self.mean_length, visible / np.maximum(rate, np.finfo(np.float64).tiny))
        enter = leave * rate / np.maximum(visible, np.finfo(np.float64).tiny)
        draws = generator.random(blocks.tokens.shape)
        chosen = np.empty(draws.shape, np.bool_)
        chosen[:, 0] = draws[:, 0] < rate
        for column in range(1, draws.shape[1]):
            before = chosen[:, column - 1]
            chosen[:, column] = np.where(before, draws[:, column] >= leave, draws[:, column] < enter)
        return chosen | (rate >= 1.0)[:, None]


@dataclass(frozen=True)
class Lines:
    """Whole lines."""

    def choose(self, blocks: Blocks, rate: FloatArray, generator: Generator) -> BoolArray:
        line = np.cumsum(blocks.line_breaks, axis=1) - blocks.line_breaks
        draws = generator.random(blocks.tokens.shape)
        return np.take_along_axis(draws, line, axis=1) < rate[:, None]


@dataclass(frozen=True)
class BlockSuffix:
    """Everything from some slot on, as where a block is written from left to right. How many slots it is differs from
    rate x B by less than 1."""

    def choose(self, blocks: Blocks, rate: FloatArray, generator: Generator) -> BoolArray:
        rows, width = blocks.tokens.shape
        count = np.floor(rate * blocks.known + generator.random(rows))
        return np.arange(width) > (blocks.known - count)[:, None]


@dataclass(frozen=True)
class SyntaxNodes:
    """Whole syntax nodes (TreeDiff, arXiv:2508.01473, masks subtrees; this is a simpler rule).

    Each slot goes with one of the nodes it lies in, whichever comes first in a random order, and each node is chosen by
    itself. A slot in no node goes by itself.
    """

    def choose(self, blocks: Blocks, rate: FloatArray, generator: Generator) -> BoolArray:
        draws = generator.random(blocks.tokens.shape)
        row, start, end = generator.permutation(blocks.nodes).T
        # One entry for each slot of each node. Where nodes overlap the last one written stays.
        node = np.repeat(np.arange(len(row)), end - start)
        column = start[node] + np.arange(len(node)) - np.repeat(np.cumsum(end - start) - (end - start), end - start)
        draws[row[node], column] = generator.random(len(row))[node]
        return draws < rate[:, None]


@dataclass(frozen=True)
class Mixture:
    """One of several rules for each block, with the given shares."""

    maskings: Sequence[Masking]
    shares: Sequence[float]

    def choose(self, blocks: Blocks, rate: FloatArray, generator: Generator) -> BoolArray:
        rule = generator.choice(len(self.maskings), len(blocks.tokens), p=self.shares)
        choices = [masking.choose(blocks, rate, generator) for masking in self.maskings]
        return np.choose(rule[:, None], choices)


def _whole(chosen: BoolArray, blocks: Blocks) -> BoolArray:
    masked = chosen | ~blocks.slots
    masked[:, 0] = False
    return masked
