"""The canvas of the published models: any slot may be fixed with anything in any order, ends included."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coder.diffusion.canvas import Canvas, IntArray


class OpenCanvas(Canvas):
    """A canvas whose answer is what stands before the first end token, or all of it but the ends.

    What is behind an end is no part of the answer but is seen by the model, so it is denoised like the rest until
    nothing before the end is masked.

    Args:
        size: slots. limit: how many tokens of them the answer may have.
        ends: the tokens that end the answer; none where the canvas is a part of the text whatever is in it.
    """

    def __init__(self, size: int, limit: int, mask_token: int, ends: tuple[int, ...]) -> None:
        super().__init__(size, limit, mask_token, ends[0] if ends else -1, {})
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
        """Whether the answer is settled."""
        return not np.any(self.is_masked[: self.length])

    @property
    def mean_log_confidence(self) -> float:
        """Of the slots that were fixed, nats."""
        fixed = self.confidences[~self.is_masked]
        return float(np.log(np.maximum(fixed, 1e-30)).mean()) if len(fixed) else 0.0

    def leading_text(self) -> tuple[list[int], list[float]]:
        masked = np.flatnonzero(self.is_masked[: self.length])
        length = int(masked[0]) if len(masked) else self.length
        return self.tokens[:length].tolist(), self.confidences[:length].tolist()

    def expand(self, slot: int) -> None:
        """Two masked slots in the place of one."""
        self._replace(slot, [self._mask_token] * 2)

    def delete(self, slots: IntArray) -> None:
        """Fewer slots."""
        for slot in sorted(slots.tolist(), reverse=True):
            self._replace(slot, [])

    def _replace(self, slot: int, tokens: list[int]) -> None:
        def spliced(old: npt.NDArray[np.generic], new: list[int]) -> npt.NDArray[np.generic]:
            return np.concatenate([old[:slot], np.array(new, old.dtype), old[slot + 1 :]])

        self._limit += len(tokens) - 1
        self.tokens = spliced(self.tokens, tokens).astype(np.int64)
        self.confidences = spliced(self.confidences, [0] * len(tokens)).astype(np.float64)
