"""Losses by noise level and canvas size, gathered where they are computed and read out now and then."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from coder.train.batches import Batch

Tensor = torch.Tensor

LEVELS = ("0.25", "0.5", "0.75", "1", "full")
"""Noise levels up to this much; `full` are the canvases without a visible slot."""


class LossTable:
    """Means in nats. Slots behind the end of a middle are left out: they are easy and would hide the others."""

    def __init__(self, sizes: Sequence[int], device: torch.device) -> None:
        ascending = sorted(set(sizes))
        self._sizes, self._largest = torch.tensor(ascending, device=device), ascending[-1]
        self._names = [f"denoise_{size}_{level}" for size in ascending for level in LEVELS]
        self._names += ["wrong_token", "next_token"]
        self._sums = torch.zeros(2, len(self._names) + 1, dtype=torch.float64, device=device)
        self._edges = torch.tensor([0.25, 0.5, 0.75], device=device)

    def add(self, batch: Batch, losses: Tensor) -> None:
        """Count the `losses` of a batch's targets, float32 [K]."""
        sizes, levels = batch["sizes"], batch["levels"]
        level = torch.bucketize(levels, self._edges) + (levels >= 1.0)
        size = torch.searchsorted(self._sizes, sizes.clamp(max=self._largest))
        place = size * len(LEVELS) + level
        place = torch.where(levels < 0, len(self._names) - 2, place)
        place = torch.where(sizes == 0, len(self._names) - 1, place)
        place = torch.where(batch["counts"] == 1.0, place, len(self._names))  # a heap for what is left out
        self._sums.index_add_(1, place, torch.stack([losses.double(), torch.ones_like(losses.double())]))

    def read(self) -> dict[str, float]:
        """The means of what was added since the last time, by name; nothing where there was nothing."""
        sums, counts = self._sums.tolist()
        self._sums.zero_()
        return {name: sums[index] / counts[index] for index, name in enumerate(self._names) if counts[index]}
