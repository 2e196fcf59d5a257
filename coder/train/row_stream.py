"""Training rows by their number in a run, so that a run that was interrupted goes on with the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch

from coder.train.packed_rows import PackedRows, Row, documents_of
from coder.train.settings import ObjectiveSettings
from coder.train.streams import Streams, packed, streams_of


class RowStream(torch.utils.data.Dataset[Streams]):
    """Every row once in a random order, then again in another, and so on, each time with other canvases.

    A number's row and noise depend on the seed alone, however many processes share the work.
    """

    def __init__(
        self,
        rows: PackedRows,
        ends: Sequence[int],
        mask: int,
        objective: ObjectiveSettings,
        seed: int,
        length: int,
    ) -> None:
        self._rows = rows
        self._ends = tuple(ends)
        self._mask = mask
        self._objective = objective
        self._seed = seed
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, number: int) -> Streams:
        order = _order(self._seed, number // len(self._rows), len(self._rows))
        row = self._rows[int(order[number % len(self._rows)])]
        generator = np.random.default_rng([self._seed, 1, number])
        return row_streams(row, self._ends, self._mask, self._objective, generator)


def row_streams(
    row: Row, ends: Sequence[int], mask: int, objective: ObjectiveSettings, generator: np.random.Generator
) -> Streams:
    """Return the streams of a row's documents; see `streams_of`."""
    return packed(streams_of(document, ends, mask, objective, generator) for document in documents_of(row))


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, count: int) -> np.ndarray:
    """The order of the rows in an epoch."""
    return np.random.default_rng([seed, 0, epoch]).permutation(count)
