"""Examples as the model is trained on them: two streams, packed, with the target of each place of the second.

The *context* (prefix and suffix) is only read: it runs without a gradient. The *region* holds what the model learns to
write, from the control token before the middle on, and behind it noisy canvases over the same tokens; it attends to
the context's keys and values. Everything here depends on the example and on a seed alone, so a batch is the same
whoever prepares it and whenever.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import torch

from coder.train.canvases import TrainingCanvas, draw_canvases
from coder.train.packed_rows import PackedDocument
from coder.train.settings import ObjectiveSettings

IntArray = npt.NDArray[np.int64]

CLEAN = -1
"""The canvas number of a clean token."""

NOTHING = -1
"""A label where nothing is learned, a teacher where there is none."""

Batch = dict[str, torch.Tensor]
"""The arrays of a `Streams`, packed one example behind the other, as tensors; `document` numbers become unique."""

CONTEXT = ("context_tokens", "context_positions", "context_documents")


@dataclass(frozen=True)
class Streams:
    """One example or several: C tokens of context and R places of region and canvases.

    Attributes:
        context_tokens, context_positions, context_documents: int64 [C].
        tokens, positions, documents: int64 [R]. Positions go on from the context; a canvas has those of its slots.
        canvases: int64 [R], `CLEAN`, or the number of the canvas within its document.
        seen: int64 [R], how many of its document's clean tokens a place sees: those up to itself, or before its anchor.
        labels: int64 [R], the token that the place is to predict, or `NOTHING`.
        weights: float32 [R], of the loss.
        slots: int64 [R], 0 for a next token, else the predicted slot of a canvas, from 1.
        levels: float32 [R], the canvas's noise level; 1 is fully masked.
        teachers: int64 [R], the clean place that predicts the same token with everything before it in view.
        before: int64 [R, 2], the token before the label and the one before that.
        instructed: int64 [R], 1 where the base's own predictions are to be kept.
    """

    context_tokens: IntArray
    context_positions: IntArray
    context_documents: IntArray
    tokens: IntArray
    positions: IntArray
    documents: IntArray
    canvases: IntArray
    seen: IntArray
    labels: IntArray
    weights: npt.NDArray[np.float32]
    slots: IntArray
    levels: npt.NDArray[np.float32]
    teachers: IntArray
    before: IntArray
    instructed: IntArray


def streams_of(
    document: PackedDocument,
    ends: Sequence[int],
    mask: int,
    objective: ObjectiveSettings,
    generator: np.random.Generator,
) -> Streams:
    """Return the two streams of a document, with canvases drawn at random.

    Args:
        ends: the tokens that end an answer. mask: the one of an undecided slot.
    """
    context = np.asarray(document.context[:-1], np.int64)
    region = np.concatenate([document.context[-1:], document.middle]).astype(np.int64)
    end = int(region[-1]) if int(region[-1]) in ends else None
    # Of a region without a context the token before its first is that first one.
    earlier = int(context[-1]) if len(context) else int(region[0])
    parts = [_clean(region, earlier, end, objective)]
    parts += [
        _noisy(canvas, number, region, earlier, end, mask, objective)
        for number, canvas in enumerate(draw_canvases(region, end, objective, generator))
    ]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    count = len(joined["tokens"])
    return Streams(
        context_tokens=context,
        context_positions=np.arange(len(context)),
        context_documents=np.zeros(len(context), np.int64),
        documents=np.zeros(count, np.int64),
        instructed=np.full(count, int(document.instructed)),
        **{**joined, "positions": joined["positions"] + len(context)},
    )


def _clean(region: IntArray, earlier: int, end: int | None, objective: ObjectiveSettings) -> dict[str, npt.NDArray]:
    """The region as it is, each place predicting the next token."""
    count = len(region) - 1
    weights = np.ones(count, np.float32)
    if end is not None:
        weights[-1] = objective.end_weight
    return {
        "tokens": region[:-1],
        "positions": np.arange(count),
        "canvases": np.full(count, CLEAN),
        "seen": np.arange(1, count + 1),
        "labels": region[1:],
        "weights": weights,
        "slots": np.zeros(count, np.int64),
        "levels": np.zeros(count, np.float32),
        "teachers": np.full(count, NOTHING),
        "before": np.stack([region[:-1], np.append(earlier, region[:-2])[:count]], axis=1),
    }


def _noisy(
    canvas: TrainingCanvas,
    number: int,
    region: IntArray,
    earlier: int,
    end: int | None,
    mask: int,
    objective: ObjectiveSettings,
) -> dict[str, npt.NDArray]:
    """A canvas: its anchor predicts slot 1, slot j predicts slot j + 1, the last predicts nothing."""
    size, anchor = len(canvas.tokens), canvas.anchor
    weights = canvas.weights(NOTHING if end is None else end, objective)
    before = region[anchor - 1] if anchor else earlier
    written = np.concatenate([[before, region[anchor]], canvas.tokens])
    inside = np.arange(size) < canvas.real
    return {
        "tokens": np.append(region[anchor], np.where(canvas.masked, mask, canvas.tokens)),
        "positions": anchor + np.arange(size + 1),
        "canvases": np.full(size + 1, number),
        "seen": np.full(size + 1, anchor),
        "labels": np.append(np.where(weights > 0, canvas.tokens, NOTHING), NOTHING),
        "weights": np.append(weights, np.float32(0)),
        "slots": np.append(np.arange(1, size + 1), 0),
        "levels": np.full(size + 1, canvas.level, np.float32),
        "teachers": np.append(np.where(inside & (weights > 0), anchor + np.arange(size), NOTHING), NOTHING),
        "before": np.stack([written[1:], written[:-1]], axis=1),
    }


def packed(examples: Iterable[Streams]) -> Streams:
    """Lay examples one behind the other."""
    found = list(examples)
    starts = np.cumsum([0, *(len(one.tokens) for one in found)])
    columns = {entry.name: [getattr(one, entry.name) for one in found] for entry in fields(Streams)}
    for name in ("documents", "context_documents"):
        offsets = np.cumsum([0, *(int(one.documents.max(initial=-1)) + 1 for one in found)])
        columns[name] = [values + offset for values, offset in zip(columns[name], offsets, strict=False)]
    columns["teachers"] = [
        np.where(values == NOTHING, NOTHING, values + start)
        for values, start in zip(columns["teachers"], starts, strict=False)
    ]
    return Streams(**{name: np.concatenate(values) for name, values in columns.items()})


def collate(rows: Sequence[Streams]) -> Batch:
    """Rows of examples as a batch."""
    return {name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in vars(packed(rows)).items()}
