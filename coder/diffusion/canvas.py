"""The canvas: B slots behind an anchor, some masked, and the rule of where it ends (design: the canvas is whole)."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy

import numpy as np
import numpy.typing as npt

from coder.diffusion.unmasking import BoolArray, Candidates, UnmaskingPolicy

IntArray = npt.NDArray[np.int64]


class Canvas:
    """The slots' tokens, int64 [B], and the probability of each when it was fixed, float64 [B] (0 while masked).

    Only the first `limit` slots are ever fixed: a canvas is whole whatever is left to write, so the slots after the
    limit stay masked, as they do in training where a block is cut.

    Args:
        size: B. limit: how many tokens may still be written.
        given: tokens known in advance by slot, with confidence 1.
    """

    def __init__(self, size: int, limit: int, mask_token: int, end_token: int, given: Mapping[int, int]) -> None:
        self.tokens: IntArray = np.full(size, mask_token, np.int64)
        self.confidences = np.zeros(size)
        self._limit = min(size, limit)
        self._mask_token = mask_token
        self._end_token = end_token
        for slot, token in given.items():
            self.fix(np.array([slot]), np.array([token]), np.ones(1))

    @property
    def length(self) -> int:
        """How many slots can hold text: those before the first end token, or before the limit."""
        ends = np.flatnonzero(self.tokens[: self._limit] == self._end_token)
        return int(ends[0]) if len(ends) else self._limit

    @property
    def ended(self) -> bool:
        """Whether the end token is in the canvas."""
        return self.length < self._limit

    @property
    def is_masked(self) -> BoolArray:
        """Of every slot, bool [B], whether it holds the mask."""
        return self.tokens == self._mask_token

    @property
    def masked(self) -> IntArray:
        """The slots yet to be fixed, ascending. None are left when the canvas is done."""
        return np.flatnonzero(self.is_masked[: self.length])

    def copy(self) -> Canvas:
        """The same canvas, to try something on."""
        other = copy(self)
        other.tokens, other.confidences = self.tokens.copy(), self.confidences.copy()
        return other

    def fix(self, slots: IntArray, tokens: IntArray, confidences: npt.NDArray[np.floating]) -> None:
        """Give each of `slots` its token."""
        self.tokens[slots] = tokens
        self.confidences[slots] = confidences

    def leading_text(self) -> tuple[list[int], list[float]]:
        """The tokens before the first masked slot and before the end, and their confidences. All, when it is done."""
        masked = self.masked
        length = int(masked[0]) if len(masked) else self.length
        return self.tokens[:length].tolist(), self.confidences[:length].tolist()


def choose_slots(
    policy: UnmaskingPolicy,
    confidence: npt.NDArray[np.float32],
    entropy: npt.NDArray[np.float32],
    ends: BoolArray,
    step: int,
    masked_at_start: int,
    margin: npt.NDArray[np.float32] | None = None,
) -> IntArray:
    """The masked slots to fix now, as indices into the W masked ones: what the policy says, under the end rule.

    The end token is not fixed while a slot left of it stays masked, and once it is, what lies right of it is dropped.
    So of the slots that would get it only the leftmost is offered to the policy, and it waits until all before it are
    fixed. Where the policy wants nothing but that one, the most confident slot before it is fixed instead, so that
    every step fixes at least one.

    Args:
        confidence, entropy: float32 [W], ascending by slot. ends: bool [W], which slots would get the end token.
        step: steps already done on this canvas. masked_at_start: slots that were masked before the first.
        margin: float32 [W], over the second best token; None where no policy asks.
    """
    first_end = int(np.argmax(ends)) if ends.any() else len(ends)
    offered = ~ends
    offered[first_end : first_end + 1] = True
    offers = np.flatnonzero(offered)
    margins = None if margin is None else margin[offers]
    candidates = Candidates(confidence[offers], entropy[offers], step, len(ends), masked_at_start, margins)
    chosen = offers[policy.select(candidates)]
    if first_end not in chosen:
        return chosen
    before = chosen[chosen < first_end]
    if len(before) == first_end:
        return np.append(before, first_end)
    waiting = chosen[chosen != first_end]
    return waiting if len(waiting) else np.array([np.argmax(confidence[:first_end])])
