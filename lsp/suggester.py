"""From a place in a buffer to suggestions: remembered ones, or what the model writes, if it is likely enough."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from coder.completion import CompletionRequest
from coder.context.window import closing_brackets
from lsp.candidate import Candidate, Watcher, write_candidate
from lsp.cursor import Cursor
from lsp.debounce import TypingSpeed
from lsp.engine_client import EngineClient
from lsp.engine_host import EngineHost
from lsp.filtering import filtered
from lsp.gate import Gate
from lsp.settings import Settings
from lsp.suggestion_cache import Suggestion, SuggestionCache

MOST_TOKENS = {"line": 48, "block": 160}
"""Of a suggestion. Most time budgets end it earlier; a line seldom has more."""

PATIENCE = 3
"""Who asks for suggestions waits so many times longer for each than who is only typing."""

ALTERNATIVE_TEMPERATURE = 0.8

ATTEMPTS_PER_ALTERNATIVE = 2
"""How often a further suggestion is drawn that turns out to be like another."""


@dataclass
class Suggester:
    """Answers one question at a time; a newer one ends the one before, which then has no suggestions.

    Attributes:
        group: tells the engine which requests replace each other.
    """

    host: EngineHost
    gate: Gate
    typing: TypingSpeed
    cache: SuggestionCache = field(default_factory=SuggestionCache)
    group: str = field(default_factory=lambda: f"inline-{uuid.uuid4().hex}")
    _newest: threading.Event = field(default_factory=threading.Event)

    async def suggest(
        self, cursor: Cursor, settings: Settings, *, invoked: bool, watch: Watcher | None = None
    ) -> tuple[Suggestion, ...]:
        """Up to one suggestion for who is typing, `settings.alternatives` for who asks for them.

        Raises:
            QuickfillError: what the engine cannot do, or that it is not there.
        """
        self.interrupt()
        cancelled = self._newest = threading.Event()
        try:
            if not invoked:
                known = self.cache.get(cursor)
                if known is not None:
                    return known[:1]
                if not self.host.is_ready:
                    return ()
                await asyncio.sleep(self.typing.wait(time.monotonic()))
            engine = await self.host.client()
            if cancelled.is_set():
                return ()
            with self.host.working():
                found = await asyncio.to_thread(
                    lambda: self._find(engine, cursor, settings, cancelled, invoked=invoked, watch=watch)
                )
            if cancelled.is_set():
                return ()
            self.cache.put(cursor, found)
            return found
        finally:
            cancelled.set()

    def interrupt(self) -> None:
        """End the question under way."""
        self._newest.set()

    def _find(
        self,
        engine: EngineClient,
        cursor: Cursor,
        settings: Settings,
        cancelled: threading.Event,
        *,
        invoked: bool,
        watch: Watcher | None,
    ) -> tuple[Suggestion, ...]:
        wanted = settings.alternatives if invoked else 1
        replaces = len(closing_brackets(cursor.suffix))
        texts: list[str] = []
        for request in itertools.islice(
            _requests(cursor, settings, invoked), 1 + (wanted - 1) * ATTEMPTS_PER_ALTERNATIVE
        ):
            candidate = write_candidate(engine, request, cursor.extent, cancelled, self.group, watch)
            if candidate is None:
                break
            text = self._worth_showing(candidate, cursor, invoked)
            if text is not None and text not in texts:
                texts.append(text)
            if len(texts) == wanted:
                break
            watch = None
        return tuple(Suggestion(uuid.uuid4().hex, text, replaces) for text in texts)

    def _worth_showing(self, candidate: Candidate, cursor: Cursor, invoked: bool) -> str | None:
        if not invoked and not self.gate.passes(candidate, cursor.extent):
            return None
        return filtered(candidate.text, cursor)


def _requests(cursor: Cursor, settings: Settings, invoked: bool) -> Iterator[CompletionRequest]:
    """The most likely text first, then others, drawn."""
    budget = settings.budget_ms * (PATIENCE if invoked else 1)
    for attempt in itertools.count():
        yield CompletionRequest(
            prefix=cursor.above + cursor.prefix,
            suffix=cursor.suffix,
            path=None,
            language=cursor.language,
            max_tokens=MOST_TOKENS[cursor.extent],
            temperature=ALTERNATIVE_TEMPERATURE if attempt else 0.0,
            seed=attempt,
            deadline_ms=budget,
        )
