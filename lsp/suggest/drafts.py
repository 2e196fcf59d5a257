"""The completions that the engine writes for a question, one after the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, Decoding, Where
from coder.api.text_engine import TextEngine
from coder.context.frozen_prefix import FrozenPrefix
from coder.diffusion.policies import WATCHED
from lsp.settings import Settings
from lsp.suggest.surroundings import Cursor, Surroundings

Watcher = Callable[[CanvasUpdate], None]

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
        frozen: where the document's text before the cursor is frozen.
    """

    cursor: Cursor
    settings: Settings
    invoked: bool
    gather: Callable[[], Surroundings] = Surroundings
    watch: Watcher | None = None
    frozen: FrozenPrefix | None = None

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
                prefix=cursor.prefix,
                suffix=cursor.suffix,
                shape=cursor.mode,
                snippets=surroundings.snippets,
                frozen=self.frozen,
                where=Where(
                    path=surroundings.path, language=cursor.document.language, workspace=surroundings.workspace
                ),
                decoding=Decoding(
                    policy=DENOISING_POLICY if self.watch and not attempt else "auto",
                    max_tokens=MOST_TOKENS[cursor.mode],
                    temperature=ALTERNATIVE_TEMPERATURE if attempt else 0.0,
                    seed=attempt,
                    deadline_ms=left,
                ),
            )


@dataclass(frozen=True)
class Draft:
    """A request, and what the engine wrote for it, fitted to the cursor: an empty text for nothing."""

    request: CompletionRequest
    completion: Completion


def drafts(engine: TextEngine, question: SuggestionQuery, cancelled: threading.Event) -> Iterator[Draft]:
    """Yield the engine's drafts for a question, until it is cancelled. The first one may be watched."""
    watch = question.watch
    for request in question.requests():
        completion = write_completion(engine, request, cancelled, watch)
        if completion is None:
            return
        yield Draft(request, completion)
        watch = None


def write_completion(
    engine: TextEngine,
    request: CompletionRequest,
    cancelled: threading.Event,
    watch: Watcher | None = None,
) -> Completion | None:
    """Run a request to its completion; None when it was cancelled."""
    with closing(engine.stream(request, cancelled)) as events:
        for event in events:
            if isinstance(event, Completion):
                return None if event.finish_reason == "cancelled" else event
            if watch:
                watch(event)
    return None
