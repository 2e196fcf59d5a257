"""How far one runtime's predictions are from another's on the same real code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coder.model.runtime import Cache, Pass, Runtime

CHUNK = 128

CANVAS_SPACING = 4
"""From one canvas to the next there are this many times its slots."""


@dataclass(frozen=True)
class Document:
    """A prompt with the middle filled in: token ids, and the index of the first one whose prediction counts."""

    tokens: tuple[int, ...]
    first: int


@dataclass(frozen=True)
class Answers:
    """What a runtime says about P positions: the true tokens' losses, float32 [P], nats; the best tokens, int64 [P]."""

    losses: npt.NDArray[np.float32]
    best: npt.NDArray[np.int64]


@dataclass(frozen=True)
class ModelAnswers:
    """Of the next token after each token, and of the slots of fully masked canvases."""

    next_token: Answers
    masked: Answers


def ask(runtime: Runtime, documents: Sequence[Document], canvas_size: int) -> ModelAnswers:
    """Predict every token that counts from those before it, and canvases all over the documents."""
    next_token, masked = [], []
    for document in documents:
        cache = runtime.new_cache()
        next_token += [_answer(runtime, cache, request) for request in _context_passes(document)]
        for anchor, request in _canvas_passes(document, canvas_size, runtime.config.control.mask):
            cache.truncate(anchor)
            masked.append(_answer(runtime, cache, request))
    return ModelAnswers(_joined(next_token), _joined(masked))


def comparison(reference: Answers, other: Answers) -> dict[str, float | int]:
    """Losses of both, nats, and the share of positions where both have the same best token."""
    return {
        "positions": len(reference.losses),
        "reference_loss": float(reference.losses.mean()),
        "loss": float(other.losses.mean()),
        "loss_difference": float(other.losses.mean() - reference.losses.mean()),
        "equal_top1": float((reference.best == other.best).mean()),
    }


def _context_passes(document: Document) -> Iterator[Pass]:
    tokens, last = document.tokens, len(document.tokens) - 1
    for start in range(0, last, CHUNK):
        end = min(start + CHUNK, last)
        first = min(max(start, document.first - 1), end)
        wanted, given = range(first - start, end - start), tokens[first + 1 : end + 1]
        yield Pass(tokens[start:end], wanted=wanted, commit=end - start, given=given)


def _canvas_passes(document: Document, canvas_size: int, mask: int) -> Iterator[tuple[int, Pass]]:
    """Anchors, the last one first, so that a cache of all tokens only has to be cut, and the passes there."""
    last = len(document.tokens) - 1 - canvas_size
    for anchor in reversed(range(document.first, last + 1, CANVAS_SPACING * canvas_size)):
        tokens = [document.tokens[anchor], *[mask] * canvas_size]
        given = document.tokens[anchor + 1 : anchor + 1 + canvas_size]
        yield anchor, Pass(tokens, wanted=range(canvas_size), causal=False, given=given)


def _answer(runtime: Runtime, cache: Cache, request: Pass) -> Answers:
    predictions = runtime.forward(cache, request)
    return Answers(-predictions.log_probability, predictions.tokens[:, 0])


def _joined(parts: Sequence[Answers]) -> Answers:
    return Answers(np.concatenate([part.losses for part in parts]), np.concatenate([part.best for part in parts]))
