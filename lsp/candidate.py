"""From the engine's stream to a text that may be suggested, stopped where its extent ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from coder.completion import CanvasUpdate, CompletionRequest, EngineEvent, FinishReason
from lsp.engine_client import EngineClient
from lsp.extent import Extent, end_of_extent

Watcher = Callable[[CanvasUpdate], None]


@dataclass(frozen=True)
class Candidate:
    """A text that the model wrote.

    Attributes:
        confidence: mean probability of its tokens when they were fixed.
        tokens: how many there are.
        finish_reason: as of a `Completion`; `end` also where the extent ended it.
    """

    text: str
    confidence: float
    tokens: int
    finish_reason: FinishReason


def write_candidate(
    engine: EngineClient,
    request: CompletionRequest,
    extent: Extent,
    cancelled: threading.Event,
    group: str | None = None,
    watch: Watcher | None = None,
) -> Candidate | None:
    """Run a request until its text is whole; None when it was cancelled. The engine stops with the return."""
    with closing(engine.stream(request, cancelled, group)) as events:
        for event in events:
            if watch and isinstance(event, CanvasUpdate):
                watch(event)
            written = _written(event)
            end = end_of_extent(written.text, request.prefix, extent)
            if end is not None:
                return Candidate(written.text[:end], written.confidence, written.tokens, "end")
            if not isinstance(event, CanvasUpdate):
                return None if event.finish_reason == "cancelled" else written
    return None


def _written(event: EngineEvent) -> Candidate:
    """What is there of the text, without gaps from its start."""
    if not isinstance(event, CanvasUpdate):
        return Candidate(event.text, event.confidence, event.tokens, event.finish_reason)
    texts, confidences = [event.settled], [event.confidence] * event.tokens
    for slot in event.slots:
        if slot.text is None:
            break
        texts.append(slot.text)
        confidences.append(slot.confidence or 0.0)
    confidence = sum(confidences) / len(confidences) if confidences else 0.0
    return Candidate("".join(texts).rstrip("\N{REPLACEMENT CHARACTER}"), confidence, len(confidences), "length")
