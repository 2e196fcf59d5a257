"""The held-out loss: by noise level and canvas size, with the same noise each time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

import numpy as np
import torch

from coder.train.batches import Batch, collate
from coder.train.loss_table import LossTable
from coder.train.noisy_rows import Noising, NoisyRow, noisy_row
from coder.train.packed_rows import PackedRows


class HeldOut:
    """The first `count` rows of a folder, cut into canvases of each size, `together` at a time: full batches only,
    where there is one, since a compiled model is compiled for one shape."""

    def __init__(
        self, rows: PackedRows, sizes: Sequence[int], noisy_length: int, noising: Noising, count: int, together: int
    ) -> None:
        count = min(count, len(rows))
        self._rows = [rows[index] for index in range(count - count % together or count)]
        self._sizes = sorted(set(sizes))
        self._noisy_length = noisy_length
        self._noising = noising
        self._together = together

    def batches(self) -> Iterator[Batch]:
        """Their noise depends on the row and the size alone."""
        for size in self._sizes:
            for start in range(0, len(self._rows), self._together):
                numbers = range(start, min(start + self._together, len(self._rows)))
                yield collate([self._noisy(number, size) for number in numbers])

    def _noisy(self, number: int, size: int) -> NoisyRow:
        generator = np.random.default_rng([size, number])
        return noisy_row(self._rows[number], size, self._noisy_length, self._noising, generator)

    @torch.no_grad()
    def figures(
        self, model: torch.nn.Module, device: torch.device, autocast: AbstractContextManager[None]
    ) -> dict[str, float]:
        """`loss`, the objective's mean over the batches, and the means of a `LossTable`, in nats."""
        table = LossTable(self._sizes, device)
        losses = []
        was_training = model.training
        model.eval()
        with autocast:
            for batch in self.batches():
                batch = {name: values.to(device) for name, values in batch.items()}
                outputs = model(**batch)
                losses.append(outputs["loss"])
                table.add(batch, outputs["losses"])
        model.train(was_training)
        return {"loss": float(torch.stack(losses).mean()), **table.read()}
