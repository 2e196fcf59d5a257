"""The canvas, B slots behind an anchor of which some are masked, and the pass that predicts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from coder.model.checkpoint.config import ModelConfig
from coder.model.runtime import Pass, TokenBias

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


class Canvas:
    """The slots of a whole canvas: `tokens`, int64 [B], and `confidences`, the probability of each when it was fixed,
    float64 [B] (0 while masked).

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
        """The number of slots that can hold text: those before the first end token, or before the limit."""
        ends = np.flatnonzero(self.tokens[: self._limit] == self._end_token)
        return int(ends[0]) if len(ends) else self._limit

    @property
    def ended(self) -> bool:
        """True where the end token is in the canvas."""
        return self.length < self._limit

    @property
    def is_masked(self) -> BoolArray:
        """True for every slot that holds the mask: bool [B]."""
        return self.tokens == self._mask_token

    @property
    def masked(self) -> IntArray:
        """The slots yet to be fixed, ascending. None are left when the canvas is done."""
        return np.flatnonzero(self.is_masked[: self.length])

    def copy(self) -> Canvas:
        """Return a canvas of the same state, to try something on."""
        other = copy(self)
        other.tokens, other.confidences = self.tokens.copy(), self.confidences.copy()
        return other

    def fix(self, slots: IntArray, tokens: IntArray, confidences: npt.NDArray[np.floating]) -> None:
        """Give each of `slots` its token."""
        self.tokens[slots] = tokens
        self.confidences[slots] = confidences

    def leading_text(self) -> tuple[list[int], list[float]]:
        """Return the tokens before the first masked slot and before the end, and their confidences. All, when done."""
        masked = np.flatnonzero(self.is_masked[: self.length])
        length = int(masked[0]) if len(masked) else self.length
        return self.tokens[:length].tolist(), self.confidences[:length].tolist()


class OpenCanvas(Canvas):
    """The canvas of a published model: any slot may be fixed with any token in any order, ends included.

    The answer is the text before the first end token. Slots behind an end are no part of it, but the model sees them,
    so they are denoised like the rest until nothing before the end is masked.

    Args:
        size: slots. limit: how many tokens of them the answer may have.
        ends: the tokens that end the answer; none where the whole canvas is the answer.
    """

    def __init__(self, size: int, limit: int, mask_token: int, ends: tuple[int, ...], given: Mapping[int, int]) -> None:
        super().__init__(size, limit, mask_token, ends[0] if ends else -1, given)
        self._ends = np.array(ends, np.int64)

    @property
    def length(self) -> int:
        found = np.flatnonzero(np.isin(self.tokens[: self._limit], self._ends))
        return int(found[0]) if len(found) else self._limit

    @property
    def masked(self) -> IntArray:
        """The slots yet to be fixed, those behind an end too."""
        return np.flatnonzero(self.is_masked)

    @property
    def is_done(self) -> bool:
        """True where no slot of the answer is masked."""
        return not np.any(self.is_masked[: self.length])

    @property
    def mean_log_confidence(self) -> float:
        """The mean log-probability of the fixed slots, nats."""
        fixed = self.confidences[~self.is_masked]
        return float(np.log(np.maximum(fixed, 1e-30)).mean()) if len(fixed) else 0.0

    def expand(self, slot: int) -> None:
        """Put two masked slots in the place of one."""
        self._replace(slot, [self._mask_token] * 2)

    def delete(self, slots: IntArray) -> None:
        """Remove `slots`."""
        for slot in sorted(slots.tolist(), reverse=True):
            self._replace(slot, [])

    def _replace(self, slot: int, tokens: list[int]) -> None:
        def spliced(old: npt.NDArray[np.generic], new: list[int]) -> npt.NDArray[np.generic]:
            return np.concatenate([old[:slot], np.array(new, old.dtype), old[slot + 1 :]])

        self._limit += len(tokens) - 1
        self.tokens = spliced(self.tokens, tokens).astype(np.int64)
        self.confidences = spliced(self.confidences, [0] * len(tokens)).astype(np.float64)


@dataclass(frozen=True)
class SlotRange:
    """Slots of a canvas from `start` to `end`, which is not among them; None is the end of what the model sees."""

    start: int
    end: int | None = None


def canvas_pass(
    config: ModelConfig,
    before: Sequence[int],
    canvas: IntArray,
    after: Sequence[int],
    slots: IntArray,
    control_tokens: tuple[int, ...],
    bias: TokenBias,
    part: SlotRange | None = None,
    guidance: float = 0.0,
) -> Pass:
    """Return the pass that predicts `slots` of a canvas, B tokens.

    Args:
        before: the tokens on its left that are not in the cache. after: those on its right.
        control_tokens: those that may be predicted.
        part: the slots that the pass is restricted to, an approximation that needs an empty cache; see `Pass.start`.
        guidance: scale of classifier-free guidance; the text around the canvas is what it is guided by.
    """
    tokens = [*before, *canvas.tolist(), *after]
    # Where the output at a position predicts the next token, the one before a slot is asked about it.
    first = len(before) - config.shift
    wanted = np.maximum(slots + first, 0).tolist()
    whole = Pass(tokens, wanted, causal=False, control_tokens=control_tokens, bias=bias)
    if guidance:
        mask = config.control.mask
        hidden = [*[mask] * len(before), *canvas.tolist(), *[mask] * len(after)]
        return replace(whole, unconditional=hidden, guidance=guidance)
    if part is None:
        return whole
    start = max(0, first + part.start)
    end = len(tokens) if part.end is None else len(before) + part.end
    wanted = [index - start for index in wanted]
    return replace(whole, tokens=tokens[start:end], wanted=wanted, start=start, visible=len(tokens))
