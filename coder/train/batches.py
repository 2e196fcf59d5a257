"""An endless, repeatable stream of training rows, and batches of it as tensors. Prepared in worker processes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch

from coder.train.noisy_rows import Noising, NoisyRow, noisy_row
from coder.train.packed_rows import PackedRows

Batch = dict[str, torch.Tensor]
"""`tokens`, `positions`, `documents`, `canvases`, `reach`: int64 [rows, M], as in `NoisyRow`. `places`, `answers`,
`weights`, `counts`, `levels`, `sizes`: [K], as in `Targets`, with places in the flattened [rows x M] sequence; K is a
multiple of `TARGETS_TOGETHER`, filled up with weight 0. `slots`: float32 [1], the sum over rows."""

TARGETS_TOGETHER = 512
"""Targets are filled up to a multiple of this, so that what works through them in parts sees few shapes."""

IN_SEQUENCE = ("tokens", "positions", "documents", "canvases", "reach")


class RowStream(torch.utils.data.Dataset[NoisyRow]):
    """Training rows by their number in a run: every row once in a random order, then again in another, and so on.

    What a number stands for depends on the seed alone, so a run that was interrupted goes on with the same rows and the
    same noise, however many processes share the work.
    """

    def __init__(
        self, rows: PackedRows, block_sizes: Sequence[int], noisy_length: int, noising: Noising, seed: int, length: int
    ) -> None:
        self._rows = rows
        self._block_sizes = block_sizes
        self._noisy_length = noisy_length
        self._noising = noising
        self._seed = seed
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, number: int) -> NoisyRow:
        order = _order(self._seed, number // len(self._rows), len(self._rows))
        generator = np.random.default_rng([self._seed, 1, number])
        size = int(generator.choice(self._block_sizes))
        row = self._rows[int(order[number % len(self._rows)])]
        return noisy_row(row, size, self._noisy_length, self._noising, generator)


def collate(rows: Sequence[NoisyRow]) -> Batch:
    """Rows of one length as a batch."""
    batch = {name: torch.from_numpy(np.stack([getattr(row, name) for row in rows])) for name in IN_SEQUENCE}
    length = batch["tokens"].shape[1]
    places = np.concatenate([row.targets.places + number * length for number, row in enumerate(rows)])
    padding = -len(places) % TARGETS_TOGETHER or (0 if len(places) else TARGETS_TOGETHER)

    def filled(name: str) -> torch.Tensor:
        values = np.concatenate([getattr(row.targets, name) for row in rows])
        return torch.from_numpy(np.pad(values, (0, padding)))

    return batch | {
        "places": torch.from_numpy(np.pad(places, (0, padding))),
        "answers": filled("tokens"),
        "weights": filled("weights"),
        "counts": filled("counts"),
        "levels": filled("levels"),
        "sizes": filled("sizes"),
        "slots": torch.tensor([sum(row.slots for row in rows)], dtype=torch.float32),
    }


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, count: int) -> np.ndarray:
    """The order of the rows in an epoch."""
    return np.random.default_rng([seed, 0, epoch]).permutation(count)
