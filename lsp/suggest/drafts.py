"""The texts that the model writes for a question, each stopped as soon as it is longer than will be shown."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from coder.api.completion import FREE, CanvasUpdate, CompletionRequest, EngineEvent, FinishReason
from coder.diffusion.policies import WATCHED
from coder.postprocess.chain import PostprocessContext, postprocess
from lsp.engine.engine_client import EngineClient
from lsp.settings import Settings
from lsp.suggest.cursor import Cursor
from lsp.suggest.surroundings import Surroundings

Watcher = Callable[[CanvasUpdate], None]

LAST_WORD = re.compile(r"\w+\Z")

MOST_TOKENS = {"line": 48, "block": 160}
"""Of a suggestion. Mostly the time budget ends it earlier; a line seldom has more."""

PATIENCE = 3
"""Factor on the time limit of suggestions that were asked for."""

ALTERNATIVE_TEMPERATURE = 0.8

ATTEMPTS_PER_ALTERNATIVE = 2
"""Draws for one further suggestion, since some are like another."""

DENOISING_POLICY = WATCHED.name
"""The policy of an answer that is watched: the default policy may have no canvas to show."""


@dataclass(frozen=True)
class SuggestionQuery:
    """A cursor at which suggestions are wanted.

    Attributes:
        invoked: whether the user asked for it; otherwise the user is typing, and may not want anything.
        gather: tells what the model should know besides the document; called in another thread, as is `watch`.
        watch: called with each canvas update.
    """

    cursor: Cursor
    settings: Settings
    invoked: bool
    gather: Callable[[], Surroundings] = Surroundings
    watch: Watcher | None = None

    @property
    def wanted(self) -> int:
        return self.settings.alternatives if self.invoked else 1

    def requests(self) -> Iterator[CompletionRequest]:
        """The request for the most likely text, then requests that draw others, as long as there is time."""
        cursor = self.cursor
        deadline = time.monotonic() + self.settings.budget_ms * (PATIENCE if self.invoked else 1) / 1000.0
        surroundings = self.gather()
        attempts = 1 + (self.wanted - 1) * ATTEMPTS_PER_ALTERNATIVE
        for attempt in range(attempts):
            left = 1000.0 * (deadline - time.monotonic())
            if left <= 0:
                return
            yield CompletionRequest(
                # Indentation written by itself is rare in code, and tokenised otherwise than with what it indents.
                prefix=cursor.prefix.removesuffix(cursor.indentation),
                suffix=cursor.suffix,
                path=surroundings.path,
                language=cursor.document.language,
                policy=DENOISING_POLICY if self.watch and not attempt else "auto",
                max_tokens=MOST_TOKENS[cursor.mode],
                temperature=ALTERNATIVE_TEMPERATURE if attempt else 0.0,
                seed=attempt,
                deadline_ms=left,
                template=FREE if cursor.mode == "line" else None,
                snippets=surroundings.snippets,
                workspace=surroundings.workspace,
            )


@dataclass(frozen=True)
class Draft:
    """A request, the text that the engine wrote for it, and what is left of that to be shown: None for nothing."""

    request: CompletionRequest
    candidate: ModelText
    text: str | None


def drafts(engine: EngineClient, question: SuggestionQuery, cancelled: threading.Event) -> Iterator[Draft]:
    """Yield the engine's drafts for a question, until it is cancelled. The first one may be watched."""
    cursor, watch = question.cursor, question.watch
    around = PostprocessContext(
        cursor.prefix, cursor.suffix, cursor.document.language, cursor.mode, replaces=cursor.replaces
    )
    for request in question.requests():
        candidate = write_text(engine, request, around, cancelled, watch, cursor.indentation)
        if candidate is None:
            return
        text = postprocess(candidate.text, replace(around, finish_reason=candidate.finish_reason))
        yield Draft(request, candidate, text)
        watch = None


@dataclass(frozen=True)
class ModelText:
    """A text that the model wrote.

    Attributes:
        confidence: mean probability of its tokens when they were fixed.
        tokens: their number.
        finish_reason: as of a `Completion`; `end` also where it was stopped since no more would be shown.
    """

    text: str
    confidence: float
    tokens: int
    finish_reason: FinishReason


def write_text(
    engine: EngineClient,
    request: CompletionRequest,
    context: PostprocessContext,
    cancelled: threading.Event,
    watch: Watcher | None = None,
    indentation: str = "",
) -> ModelText | None:
    """Run a request until its text is whole; None when it was cancelled. The engine stops with the return.

    Args:
        indentation: expected at the start of the text, and cut off. A text that begins otherwise belongs elsewhere,
            and becomes empty.
    """
    with closing(engine.stream(request, cancelled)) as events:
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
    """Whether a text that is being written is longer than what will be shown of it.

    A word at its end may become another one yet, so it is not looked at.
    """
    if context.mode == "line":
        return "\n" in text
    settled = LAST_WORD.sub("", text)
    shown = postprocess(settled, context) if "\n" in settled else None
    return shown is not None and shown.count("\n") < settled.rstrip().count("\n")


def _written(event: EngineEvent) -> ModelText:
    """The part of the text without gaps from its start."""
    if not isinstance(event, CanvasUpdate):
        return ModelText(event.text, event.confidence, event.tokens, event.finish_reason)
    texts, confidences = [event.settled], [event.confidence] * event.tokens
    for slot in event.slots:
        if slot.text is None:
            break
        texts.append(slot.text)
        confidences.append(slot.confidence or 0.0)
    confidence = sum(confidences) / len(confidences) if confidences else 0.0
    return ModelText("".join(texts).rstrip("\N{REPLACEMENT CHARACTER}"), confidence, len(confidences), "end")
