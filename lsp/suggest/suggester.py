"""From a cursor to suggestions: remembered ones, or those that the model writes, if they are likely enough."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
from dataclasses import dataclass, field, replace

from coder.api.completion import CompletionRequest
from coder.api.text_engine import TextEngine
from lsp.engine.engine_host import EngineHost
from lsp.suggest.drafts import SuggestionQuery, drafts
from lsp.suggest.gate import Gate, TypingSpeed, wants_unasked
from lsp.suggest.suggestion_cache import Suggestion, SuggestionCache

log = logging.getLogger(__name__)


@dataclass
class WorkAhead:
    """At most one piece of work at a time, on the event loop's thread; the engine puts any request first."""

    _stopped: threading.Event = field(default_factory=threading.Event)
    _task: asyncio.Task[None] | None = None

    def start(self, engine: TextEngine, request: CompletionRequest, prefix: str) -> None:
        """Bring the context of the request as it will be, with this prefix, into the engine's cache."""
        self.stop()
        self._stopped = threading.Event()
        self._task = asyncio.create_task(_prefill(engine, replace(request, prefix=prefix), self._stopped))

    def stop(self) -> None:
        self._stopped.set()


async def _prefill(engine: TextEngine, request: CompletionRequest, stopped: threading.Event) -> None:
    try:
        await asyncio.to_thread(engine.prefill, request, stopped)
    except Exception as error:  # nobody waits for this; whoever asks next hears of an engine that is gone
        log.info("working ahead failed: %s", error)


@dataclass
class Suggester:
    """Answers one question at a time; a newer one ends the one before, which then has no suggestions.

    It runs on the event loop's thread, the model in others.
    """

    host: EngineHost
    gate: Gate
    typing: TypingSpeed
    cache: SuggestionCache = field(default_factory=SuggestionCache)
    ahead: WorkAhead = field(default_factory=WorkAhead)
    _newest: threading.Event = field(default_factory=threading.Event)

    async def suggest(self, question: SuggestionQuery) -> tuple[Suggestion, ...]:
        """Return at most one suggestion while the user types, `settings.alternatives` where they were asked for.

        Raises:
            QuickfillError: the engine cannot do it, or is not there.
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
        self, engine: TextEngine, question: SuggestionQuery, cancelled: threading.Event
    ) -> tuple[list[CompletionRequest], tuple[Suggestion, ...]]:
        """Return the requests to the engine, and the suggestions that came of them."""
        cursor, asked = question.cursor, []
        found: dict[str, Suggestion] = {}
        for draft in drafts(engine, question, cancelled):
            asked.append(draft.request)
            text = draft.completion.text
            probability = self.gate.calibration.probability(draft.completion, cursor.mode)
            if text and text not in found and (question.invoked or probability >= self.gate.threshold):
                found[text] = Suggestion(uuid.uuid4().hex, text, cursor.replaces, probability)
            if len(found) == question.wanted:
                break
        return asked, tuple(found.values())
