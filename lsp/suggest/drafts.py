"""The completions that the engine writes for a question, one after the other."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, Decoding, Where
from coder.api.streams import Cancellation, last
from coder.api.text_engine import TextEngine
from coder.context.window import FrozenPrefix
from coder.diffusion.policies import WATCHED
from lsp.settings import Settings
from lsp.suggest.surroundings import Cursor, Surroundings

Watcher = Callable[[CanvasUpdate], None]

MOST_TOKENS = {"line": 48, "block": 160}
"""Of a suggestion. Mostly the time budget ends it earlier; a line seldom has more."""

FIRST_SECONDS = 0.6
"""Time for the first suggestion of those that were asked for: somebody waits."""

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

    @property
    def budget(self) -> float:
        """The most seconds until there is an answer, if it is that there is nothing yet."""
        return self.settings.budget_ms / 1000.0

    @property
    def seconds(self) -> float:
        """The time for all of it. There is no limit where nobody asked: nobody waits longer than the budget, and a text
        of which only a part were read would be read anew with the next key."""
        return PATIENCE * self.budget if self.invoked else math.inf

    @property
    def seconds_of_first(self) -> float:
        """The time for the likeliest text as far as it can be written soon. Who watches sees it anyway."""
        return min(FIRST_SECONDS, self.seconds) if self.invoked and not self.watch else self.seconds

    def request(self, around: Surroundings, attempt: int, seconds: float) -> CompletionRequest:
        """Return the request for the likeliest text (attempt 0) or for another one, to be answered in that time."""
        cursor = self.cursor
        return CompletionRequest(
            prefix=cursor.prefix,
            suffix=cursor.suffix,
            shape=cursor.mode,
            snippets=around.snippets,
            frozen=self.frozen,
            where=Where(around.path, cursor.document.language, around.workspace, around.exclude),
            decoding=Decoding(
                policy=DENOISING_POLICY if self.watch and not attempt else "auto",
                max_tokens=MOST_TOKENS[cursor.mode],
                temperature=ALTERNATIVE_TEMPERATURE if attempt else 0.0,
                seed=attempt,
                deadline_ms=None if seconds == math.inf else 1000.0 * seconds,
            ),
        )


@dataclass(frozen=True)
class Draft:
    """A request, and what the engine wrote for it, fitted to the cursor: an empty text for nothing.

    Attributes:
        likeliest: whether it is the most likely text, or a beginning of it; otherwise an alternative.
    """

    request: CompletionRequest
    completion: Completion
    likeliest: bool


def drafts(
    engine: TextEngine, question: SuggestionQuery, cancelled: Cancellation, follow: Watcher | None = None
) -> Iterator[Draft]:
    """Yield the engine's drafts for a question, until it is cancelled or its time is up.

    First the likeliest text, which may be watched, as far as it can be written soon; all of it if that was not all;
    then others. `follow` is told of the likeliest text too, and changes nothing in how it is written.
    """
    started = time.monotonic()
    around = question.gather()
    seconds = (question.seconds_of_first, question.seconds)
    tries = [(0, limit) for limit in dict.fromkeys(seconds)]
    tries += [(attempt, seconds[1]) for attempt in range(1, 1 + (question.wanted - 1) * ATTEMPTS_PER_ALTERNATIVE)]
    whole = False
    for attempt, limit in tries:
        left = limit - (time.monotonic() - started)
        if left <= 0 or (whole and not attempt):
            continue
        request = question.request(around, attempt, left)
        completion = write_completion(engine, request, cancelled, None if attempt else question.watch or follow)
        if completion is None:
            return
        whole = whole or completion.finish_reason != "deadline"
        yield Draft(request, completion, likeliest=not attempt)


def write_completion(
    engine: TextEngine, request: CompletionRequest, cancelled: Cancellation, watch: Watcher | None = None
) -> Completion | None:
    """Run a request to its completion; None when it was cancelled."""
    completion = last(engine.stream(request, cancelled), Completion, watch)
    return None if completion.finish_reason == "cancelled" else completion
