"""From a place in a document to suggestions: remembered ones, or what the model writes, if it is likely enough."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from coder.api.completion import FREE, CompletionRequest
from coder.postprocess.chain import PostprocessContext, postprocess
from lsp.engine.engine_client import EngineClient
from lsp.engine.engine_host import EngineHost
from lsp.settings import Settings
from lsp.suggest.candidate import Candidate, Watcher, write_candidate
from lsp.suggest.cursor import Cursor
from lsp.suggest.debounce import TypingSpeed
from lsp.suggest.gate import Gate
from lsp.suggest.silence import wants_unasked
from lsp.suggest.suggestion_cache import Suggestion, SuggestionCache
from lsp.suggest.surroundings import Surroundings
from lsp.suggest.work_ahead import WorkAhead

MOST_TOKENS = {"line": 48, "block": 160}
"""Of a suggestion. Mostly the time budget ends it earlier; a line seldom has more."""

PATIENCE = 3
"""Who asks for suggestions waits so many times longer for them than who is only typing."""

ALTERNATIVE_TEMPERATURE = 0.8

ATTEMPTS_PER_ALTERNATIVE = 2
"""How often a further suggestion is drawn that turns out to be like another."""

DENOISING_POLICY = "threshold"
"""What writes while somebody watches: the default policy may have no canvas to show."""


@dataclass(frozen=True)
class Question:
    """What is asked.

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
        """The most likely text first, then others, drawn, as many as there is time for."""
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


@dataclass
class Suggester:
    """Answers one question at a time; a newer one ends the one before, which then has no suggestions.

    It lives on the event loop's thread; the model is awaited in others.

    Attributes:
        group: tells the engine which requests replace each other.
    """

    host: EngineHost
    gate: Gate
    typing: TypingSpeed
    cache: SuggestionCache = field(default_factory=SuggestionCache)
    ahead: WorkAhead = field(default_factory=WorkAhead)
    group: str = field(default_factory=lambda: f"inline-{uuid.uuid4().hex}")
    _newest: threading.Event = field(default_factory=threading.Event)

    async def suggest(self, question: Question) -> tuple[Suggestion, ...]:
        """Up to one suggestion for who is typing, `settings.alternatives` for who asks for them.

        Raises:
            QuickfillError: what the engine cannot do, or that it is not there.
        """
        self.interrupt()
        cancelled = self._newest = threading.Event()
        try:
            if not question.invoked:
                if not wants_unasked(question.cursor, question.settings):
                    return ()
                known = self.cache.get(question.cursor)
                if known is not None:
                    return known[:1]
                if not self.host.is_ready:
                    self.host.recover()
                    return ()
                await asyncio.sleep(self.typing.wait(time.monotonic()))
            engine = await self.host.client()
            if cancelled.is_set():
                return ()
            with self.host.working():
                asked, found = await asyncio.to_thread(self._find, engine, question, cancelled)
            if cancelled.is_set():
                return ()
            self.cache.put(question.cursor, found)
            if found:
                self.ahead.start(engine, asked[0], question.cursor.prefix + found[0].text)
            return found
        finally:
            cancelled.set()

    def interrupt(self) -> None:
        """End the question under way, and the work ahead of the last one."""
        self._newest.set()
        self.ahead.stop()

    def _find(
        self, engine: EngineClient, question: Question, cancelled: threading.Event
    ) -> tuple[list[CompletionRequest], tuple[Suggestion, ...]]:
        """What the engine was asked, and the suggestions that came of it."""
        cursor, asked = question.cursor, []
        found: dict[str, Suggestion] = {}
        for draft in drafts(engine, question, cancelled, self.group):
            asked.append(draft.request)
            text, probability = draft.text, self.gate.calibration.probability(draft.candidate, cursor.mode)
            if text is not None and text not in found and (question.invoked or probability >= self.gate.threshold):
                found[text] = Suggestion(uuid.uuid4().hex, text, cursor.replaces, probability)
            if len(found) == question.wanted:
                break
        return asked, tuple(found.values())


@dataclass(frozen=True)
class Draft:
    """What the engine was asked, what it wrote, and what is left of that to be shown; None for nothing."""

    request: CompletionRequest
    candidate: Candidate
    text: str | None


def drafts(
    engine: EngineClient, question: Question, cancelled: threading.Event, group: str | None = None
) -> Iterator[Draft]:
    """What the engine writes for a question, until it is cancelled. The first draft is the one that is watched."""
    cursor, watch = question.cursor, question.watch
    around = PostprocessContext(
        cursor.prefix, cursor.suffix, cursor.document.language, cursor.mode, replaces=cursor.replaces
    )
    for request in question.requests():
        candidate = write_candidate(engine, request, around, cancelled, group, watch, cursor.indentation)
        if candidate is None:
            return
        text = postprocess(candidate.text, replace(around, finish_reason=candidate.finish_reason))
        yield Draft(request, candidate, text)
        watch = None
