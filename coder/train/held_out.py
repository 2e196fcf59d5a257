"""Losses by what was predicted, and those of held-out rows: the same rows with the same canvases each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

import numpy as np
import torch

from coder.model.checkpoint.infilling_tokens import InfillingTokens
from coder.train.packed_rows import PackedRows
from coder.train.row_stream import row_streams
from coder.train.settings import ObjectiveSettings
from coder.train.streams import NOTHING, Batch, collate

Tensor = torch.Tensor

MOST_SLOTS = 16
"""Slots that are told apart."""


class LossTable:
    """Means in nats over the places where something was predicted, and shares of right predictions.

    `next_token` and `instructed` (next tokens of answers to instructions); `canvas`, all masked slots; `full`, those of
    fully masked canvases, and `local`, the same by the local autoregression with the right tokens before. Slots behind
    the end of an answer are left out: they are easy and would hide the others.
    """

    def __init__(self, by_slot: bool = False) -> None:
        """`by_slot` adds `full_1`, `local_1` and so on, and the shares `full_right_1` and `local_right_1`."""
        self._by_slot = by_slot
        self._sums: dict[str, Tensor] = {}

    def add(self, batch: Batch, outputs: dict[str, Tensor]) -> None:
        """Count what a `TwoStreamModel` answered to a batch."""
        slots, learned = batch["slots"], batch["labels"] != NOTHING
        instructed = batch["instructed"] > 0
        inside = learned & (batch["teachers"] != NOTHING)
        full = inside & (batch["levels"] >= 1.0)
        nats, local = outputs["nats"], outputs["local_nats"]
        self._count("next_token", nats, learned & (slots == 0) & ~instructed)
        self._count("instructed", nats, learned & (slots == 0) & instructed)
        self._count("canvas", nats, inside)
        self._count("full", nats, full)
        self._count("local", local, full)
        for slot in range(1, MOST_SLOTS + 1) if self._by_slot else ():
            own = full & (slots == slot)
            for name, values in (("full", nats), ("local", local)):
                self._count(f"{name}_{slot}", values, own)
                self._count(f"{name}_right_{slot}", outputs[f"{name}_right"].float(), own)

    def _count(self, name: str, values: Tensor, where: Tensor) -> None:
        chosen = where & ~values.isnan()
        counted = torch.stack([values.masked_fill(~chosen, 0.0).sum().double(), chosen.sum().double()])
        self._sums[name] = self._sums.get(name, torch.zeros_like(counted)) + counted

    def read(self) -> dict[str, float]:
        """Return the means of what was added since the last time, by name; nothing where there was nothing."""
        found = {name: sums.tolist() for name, sums in self._sums.items()}
        self._sums = {}
        return {name: total / count for name, (total, count) in found.items() if count}


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
