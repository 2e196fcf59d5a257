"""From the engine's stream to a text that may be suggested, stopped as soon as it is more than will be shown."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

from coder.api.completion import CanvasUpdate, CompletionRequest, EngineEvent, FinishReason
from coder.postprocess.chain import PostprocessContext, postprocess
from lsp.engine.engine_client import EngineClient

Watcher = Callable[[CanvasUpdate], None]

LAST_WORD = re.compile(r"\w+\Z")


@dataclass(frozen=True)
class Candidate:
    """A text that the model wrote.

    Attributes:
        confidence: mean probability of its tokens when they were fixed.
        tokens: how many there are.
        finish_reason: as of a `Completion`; `end` also where it was stopped since no more would be shown.
    """

    text: str
    confidence: float
    tokens: int
    finish_reason: FinishReason


def write_candidate(
    engine: EngineClient,
    request: CompletionRequest,
    context: PostprocessContext,
    cancelled: threading.Event,
    group: str | None = None,
    watch: Watcher | None = None,
    indentation: str = "",
) -> Candidate | None:
    """Run a request until its text is whole; None when it was cancelled. The engine stops with the return.

    Args:
        indentation: what the text is to begin with; it is cut off. A text that begins otherwise belongs elsewhere, and
            is empty.
    """
    with closing(engine.stream(request, cancelled, group)) as events:
        for event in events:
            written = _written(event)
            begun = written.text[: len(indentation)]
            written = replace(written, text=written.text[len(indentation) :] if begun == indentation else "")
            if not indentation.startswith(begun):
                return written
            if not isinstance(event, CanvasUpdate):
                return None if event.finish_reason == "cancelled" else written
            if watch:
                watch(event)
            if is_more_than_shown(written.text, context):
                return written
    return None


def is_more_than_shown(text: str, context: PostprocessContext) -> bool:
    """Whether a text that is being written has gone past the end of what will be shown of it.

    A word at its end may become another one yet, so it is not looked at.
    """
    if context.mode == "line":
        return "\n" in text
    settled = LAST_WORD.sub("", text)
    shown = postprocess(settled, context) if "\n" in settled else None
    return shown is not None and shown.count("\n") < settled.rstrip().count("\n")


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
    return Candidate("".join(texts).rstrip("\N{REPLACEMENT CHARACTER}"), confidence, len(confidences), "end")
