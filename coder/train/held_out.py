"""The held-out loss, by slot: the same rows with the same canvases each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

import numpy as np
import torch

from coder.model.checkpoint.infilling_tokens import InfillingTokens
from coder.train.loss_table import LossTable
from coder.train.packed_rows import PackedRows
from coder.train.row_stream import row_streams
from coder.train.settings import ObjectiveSettings
from coder.train.streams import Batch, collate


class HeldOut:
    """The first `count` rows of a folder."""

    def __init__(self, rows: PackedRows, tokens: InfillingTokens, objective: ObjectiveSettings, count: int) -> None:
        self._rows = rows
        self._tokens = tokens
        self._objective = objective
        self._count = min(count, len(rows))

    def batches(self) -> Iterator[Batch]:
        """Yield a batch a row, whose noise depends on the row alone."""
        for number in range(self._count):
            generator = np.random.default_rng([number])
            row = self._rows[number]
            yield collate([row_streams(row, self._tokens.ends, self._tokens.mask, self._objective, generator)])

    @torch.no_grad()
    def figures(
        self, model: torch.nn.Module, device: torch.device, autocast: AbstractContextManager[None]
    ) -> dict[str, float]:
        """Return `loss`, the objective's mean over the rows, and the means of a `LossTable`, in nats."""
        table = LossTable(by_slot=True)
        losses = []
        with autocast:
            for batch in self.batches():
                batch = {name: values.to(device) for name, values in batch.items()}
                outputs = model(**batch)
                losses.append(outputs["loss"])
                table.add(batch, outputs)
        return {"loss": float(torch.stack(losses).mean()), **table.read()}
