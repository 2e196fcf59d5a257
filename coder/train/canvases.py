"""Canvases for training: cut from a region at random anchors, whole, with masked slots and their weights.

Many canvases share one context, so an example is seen from many places for little more than one reading of it. A canvas
is whole even where the region ends inside it: the slots behind the end hold the end token too, since a canvas that was
cut there would give the length away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coder.train.settings import ObjectiveSettings

IntArray = npt.NDArray[np.int64]

LONG_REGION = 60
"""Tokens from which on anchors lie further apart, so that a long answer costs no more canvases than a short one."""


@dataclass(frozen=True)
class TrainingCanvas:
    """B slots behind an anchor.

    Attributes:
        anchor: where in the region the anchor is.
        tokens: int64 [B], the right ones. masked: bool [B], which of them are hidden.
        real: how many slots lie inside the region. ends: whether it is known that nothing comes behind it.
        level: the noise level t, 1 where every slot is masked.
    """

    anchor: int
    tokens: IntArray
    masked: npt.NDArray[np.bool_]
    real: int
    ends: bool
    level: float

    def weights(self, end: int, objective: ObjectiveSettings) -> npt.NDArray[np.float32]:
        """Return the weight of each slot's loss, float32 [B], 0 where it is visible or unknown.

        Near slots weigh more: they can be learned, and are what a pass fixes. w(t) = 1/t is the linear schedule's
        (MDLM, arXiv:2406.07524), bounded, since few slots are masked where it is large.
        """
        slots = np.arange(len(self.tokens))
        inside = slots < self.real
        behind = objective.behind_the_end if self.ends else 0.0
        weights = np.where(inside, np.where(self.tokens == end, objective.end_weight, 1.0), behind)
        weights *= objective.near_weight**slots * min(objective.most_level_weight, 1.0 / self.level)
        return (weights * self.masked).astype(np.float32)


def draw_canvases(
    region: IntArray, end: int | None, objective: ObjectiveSettings, generator: np.random.Generator
) -> Iterator[TrainingCanvas]:
    """Yield canvases of one random size at random anchors of a region, int64 [n], in order.

    Args:
        end: the token that the region ends with; None where it is cut, and slots behind it stay masked, unlearned.
    """
    size = int(generator.choice(objective.canvas_sizes))
    spacing = max(1.0, size * objective.spacing * max(1.0, len(region) / LONG_REGION))
    last = len(region) - 1
    anchor = int(generator.random() * min(2 * spacing, last))
    while anchor < last:
        known = region[anchor + 1 : anchor + 1 + size]
        behind = np.full(size - len(known), region[-1] if end is None else end)
        full = generator.random() < objective.fully_masked
        level = 1.0 if full else max(1.0 / size, generator.random())
        masked = generator.random(size) < level
        if not masked.any():
            masked[generator.integers(size)] = True
        if end is None:
            masked[len(known) :] = True
        yield TrainingCanvas(anchor, np.concatenate([known, behind]), masked, len(known), end is not None, level)
        anchor += 1 + int(generator.exponential(spacing))
