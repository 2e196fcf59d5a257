"""From clean training canvases to noisy ones: noise levels, masks, wrong tokens, and what each slot's loss weighs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coder.diffusion.schedules import Schedule
from coder.train.masking import Blocks, BoolArray, FloatArray, Generator, IntArray, Masking, complement, mask

FULLY_MASKED = 0.15
"""Share of blocks without a visible slot: the state that every generation starts from."""


@dataclass(frozen=True)
class NoiseLevels:
    """The noise level of each of N blocks.

    Attributes:
        t: float64 [N], in (0, 1].
        full: bool [N], whether the block is fully masked whatever the schedule says; t is 1 there.
    """

    t: FloatArray
    full: BoolArray

    def rate(self, schedule: Schedule) -> FloatArray:
        """Probability that a slot is masked, float64 [N]."""
        return np.where(self.full, 1.0, 1.0 - schedule.alpha(self.t))

    def weight(self, schedule: Schedule) -> FloatArray:
        """Weight of a masked slot's loss, float64 [N]; 1 for a fully masked block under any schedule."""
        return np.where(self.full, 1.0, schedule.weight(self.t))


def draw_noise_levels(count: int, slots: int, generator: Generator, fully_masked: float = FULLY_MASKED) -> NoiseLevels:
    """Draw t for `count` blocks of B slots: from U(0, 1], clipped below at 1/B, and a share of them fully masked.

    The range is cut into `count` strata, of which each block gets one, so that the loss of a batch varies less (the
    low-discrepancy sampler of MDLM, arXiv:2406.07524).
    """
    strata = generator.permutation(count)
    uniform = (strata + 1.0 - generator.random(count)) / count
    full = generator.random(count) < fully_masked
    return NoiseLevels(np.where(full, 1.0, np.maximum(uniform, 1.0 / slots)), full)


@dataclass(frozen=True)
class WrongTokens:
    """Visible slots that hold a wrong token, which the model has to mend (GIDD, arXiv:2503.04482, mixes both noises).

    Attributes:
        ordinary: int64 [V], the ids that stand for text; at least two.
        blocks, slots: share of the blocks concerned, and of the visible slots in these.
    """

    ordinary: IntArray
    blocks: float = 0.25
    slots: float = 0.1

    def __post_init__(self) -> None:
        if len(self.ordinary) < 2:
            raise ValueError("a wrong token needs at least two ordinary ones to choose from")

    def replace(
        self, blocks: Blocks, masked: BoolArray, generator: Generator, samples: IntArray | None = None
    ) -> tuple[IntArray, BoolArray]:
        """The tokens, some of them wrong, int64 [N, B + 1], and which, bool [N, B + 1]. Anchors stay.

        Args:
            samples: int64 [N, B + 1], wrong tokens to use, such as the model's own; where one is right or no ordinary
                token, and without any, a random one is used.
        """
        shape = blocks.tokens.shape
        wrong = generator.random(shape) < self.slots
        wrong &= (generator.random(shape[0]) < self.blocks)[:, None] & blocks.slots & ~masked
        replacements = self._random(blocks.tokens, generator)
        if samples is not None:
            usable = self._find(samples)[1] & (samples != blocks.tokens)
            replacements = np.where(usable, samples, replacements)
        return np.where(wrong, replacements, blocks.tokens), wrong

    def _random(self, tokens: IntArray, generator: Generator) -> IntArray:
        """An ordinary token for each of `tokens`, uniformly among those that differ from it."""
        place, right = self._find(tokens)
        draws = generator.integers(0, len(self._ascending) - right)
        return self._ascending[draws + (right & (draws >= place))]

    def _find(self, tokens: IntArray) -> tuple[IntArray, BoolArray]:
        """Where each token belongs among the ordinary ones, and whether it is one of them."""
        place = np.searchsorted(self._ascending, tokens)
        return place, self._ascending[np.minimum(place, len(self._ascending) - 1)] == tokens

    @cached_property
    def _ascending(self) -> IntArray:
        """Sorted once: a vocabulary is large, and a training row small."""
        return np.unique(self.ordinary)


@dataclass(frozen=True)
class NoisyBlocks:
    """What the model sees of N blocks, and how much each slot counts.

    Attributes:
        inputs: int64 [N, B + 1], the anchor first.
        masked, wrong: bool [N, B + 1], the slots without a token, and those with a wrong one.
        weights: float64 [N, B + 1], of the loss of the token at each place: w(t) where it is masked, 1 where it is
            wrong, 0 elsewhere. The output one place to the left predicts it.
    """

    inputs: IntArray
    masked: BoolArray
    wrong: BoolArray
    weights: FloatArray


def add_noise(
    blocks: Blocks,
    levels: NoiseLevels,
    schedule: Schedule,
    masking: Masking,
    mask_token: int,
    generator: Generator,
    wrong_tokens: WrongTokens | None = None,
) -> NoisyBlocks:
    """Mask `blocks` to their noise levels, and put wrong tokens into some visible slots."""
    masked = mask(masking, blocks, levels.rate(schedule), generator)
    tokens, wrong = blocks.tokens, np.zeros(masked.shape, np.bool_)
    if wrong_tokens is not None:
        tokens, wrong = wrong_tokens.replace(blocks, masked, generator)
    weights = np.where(masked & blocks.slots, levels.weight(schedule)[:, None], wrong.astype(np.float64))
    return NoisyBlocks(np.where(masked, mask_token, tokens), masked, wrong, weights)


def add_complementary_noise(
    blocks: Blocks, noisy: NoisyBlocks, levels: NoiseLevels, schedule: Schedule, mask_token: int
) -> tuple[NoisyBlocks, NoiseLevels]:
    """The other halves of complementary pairs: masked where `noisy` is not, at noise level 1 - t, clipped like t.

    That is the level of the complement under the linear schedule only. Nothing is masked where the first half is full.
    """
    masked = complement(noisy.masked, blocks)
    other = NoiseLevels(np.maximum(1.0 - levels.t, 1.0 / (blocks.tokens.shape[1] - 1)), np.zeros_like(levels.full))
    weights = np.where(masked & blocks.slots, other.weight(schedule)[:, None], 0.0)
    inputs = np.where(masked, mask_token, blocks.tokens)
    return NoisyBlocks(inputs, masked, np.zeros_like(masked), weights), other
