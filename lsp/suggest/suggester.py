"""Suggestions at a cursor: remembered ones, or those that the model writes, if they are likely enough."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from coder.api.completion import CompletionRequest
from coder.api.text_engine import TextEngine
from coder.context.window import FrozenPrefixes, average_tokens
from coder.errors import QuickfillError
from lsp.documents import Document
from lsp.engine.engine_host import EngineHost
from lsp.suggest.drafts import SuggestionQuery
from lsp.suggest.gate import Gate, TypingSpeed, wants_unasked
from lsp.suggest.search import Search
from lsp.suggest.suggestion_cache import Suggestion, SuggestionCache
from lsp.suggest.surroundings import Cursor

SOON = 0.65
"""Seconds after which those who asked are given what there is."""

SOON_UNASKED = 0.4
"""Seconds after which those who pause are given the whole lines that there are: most blocks are finished later."""

POLL_SECONDS = 0.02

AHEAD_SECONDS = 30.0
"""The most that work ahead takes; any request ends it sooner."""

log = logging.getLogger(__name__)


@dataclass
class WorkAhead:
    """At most one piece of work at a time, on the event loop's thread; the engine puts any request first."""

    _stopped: threading.Event = field(default_factory=threading.Event)
    _task: asyncio.Task[None] | None = None

    def start(self, engine: TextEngine, request: Callable[[], CompletionRequest]) -> None:
        """Bring the context of a request that may come into the engine's cache; it is made in another thread."""
        self.stop()
        self._stopped = threading.Event()
        self._task = asyncio.create_task(_prefill(engine, request, self._stopped))

    def stop(self) -> None:
        self._stopped.set()


async def _prefill(engine: TextEngine, request: Callable[[], CompletionRequest], stopped: threading.Event) -> None:
    try:
        await asyncio.to_thread(lambda: engine.prefill(request(), stopped))
    except Exception as error:  # nobody waits for this; whoever asks next hears of an engine that is gone
        log.info("working ahead failed: %s", error)


@dataclass
class Suggester:
    """Answers one question at a time; a newer one ends the one before, which then has no suggestions. But where the
    user has only typed on meanwhile, and the answer under way may still fit, it answers the newer question.

    It runs on the event loop's thread, the model in others. Who asks is given what there is soon. The other suggestions
    are searched on, and given when the same question is asked again, as editors do when their user wants to see more.
    Who types is answered within the budget too; what comes later is kept, and `tell_of_more` is called with its
    document, for the editor to ask again.
    """

    host: EngineHost
    gate: Gate
    typing: TypingSpeed
    tell_of_more: Callable[[Document], None] = lambda document: None
    cache: SuggestionCache = field(default_factory=SuggestionCache)
    ahead: WorkAhead = field(default_factory=WorkAhead)
    frozen: FrozenPrefixes = field(default_factory=lambda: FrozenPrefixes(average_tokens))
    _search: Search | None = None
    _waiting: SuggestionQuery | None = None
    """The newest question, until the text changes."""
    _watch: asyncio.Task[None] | None = None
    """Waits for more than the newest question was answered with."""

    async def suggest(self, question: SuggestionQuery) -> tuple[Suggestion, ...]:
        """Return at most one suggestion while the user types, up to `settings.alternatives` where they were asked for.

        Raises:
            QuickfillError: the engine cannot do it, or is not there.
        """
        if question.invoked:
            return await self._asked(question)
        found = await self._unasked(question)
        if question is self._waiting and (search := self._search) is not None and search.is_under_way:
            self._watch = asyncio.create_task(self._tell_later(question, search, found))
        return found

    async def _asked(self, question: SuggestionQuery) -> tuple[Suggestion, ...]:
        search = self._search
        if search is None or search.task is None or not search.answers(question):
            self.interrupt()
            search = await self._begun(question)
        return await self._found_soon(search)

    async def _unasked(self, question: SuggestionQuery) -> tuple[Suggestion, ...]:
        search = self._search
        if search is not None and not search.follow(question.cursor):
            search = None
            self.interrupt()
        self._waiting = question
        if not wants_unasked(question.cursor, question.settings):
            return ()
        if search is not None and self.cache.get(question.cursor) is None:
            await self._until_soon(search, question)
            if question is not self._waiting:
                return ()
        known = self.cache.get(question.cursor)
        if known is not None:
            return known[:1]
        if search is not None and search.is_under_way:
            return ()
        if not self.host.is_ready:
            self.host.recover()
            return ()
        self.interrupt()
        self._waiting = question
        return await self._found_soon(await self._begun(question))

    async def _begun(self, question: SuggestionQuery) -> Search:
        """Return a new search, under way unless it was ended meanwhile."""
        search = self._search = Search(question, self.gate)
        if not question.invoked:
            await asyncio.sleep(self.typing.wait(time.monotonic()))
        engine = await self.host.client()
        if not search.cancelled.is_set():
            frozen = self.frozen.at(question.cursor.document.uri, question.cursor.prefix)
            search.question = replace(question, frozen=frozen)
            search.task = asyncio.create_task(self._run(search, engine))
            # Whoever waits for it gets its error; where nobody does any more, the host's state tells.
            search.task.add_done_callback(lambda task: task.cancelled() or task.exception())
        return search

    def _after_acceptance(
        self, request: CompletionRequest, cursor: Cursor, suggestion: Suggestion
    ) -> CompletionRequest:
        """Return the request that comes when the suggestion is accepted, or typed."""
        prefix = cursor.prefix + suggestion.text
        return replace(request, prefix=prefix, frozen=self.frozen.ahead(cursor.document.uri, prefix))

    async def prepare(self, question: SuggestionQuery) -> None:
        """Compute ahead what a suggestion needs at the cursor, where the user may begin to write: it has to read the
        text around it, which takes longer than to write a line. Does nothing while the engine is loaded or at work."""
        if not self.host.is_ready or not question.settings.automatic or self._is_searching:
            return
        engine = await self.host.client()
        frozen = self.frozen.ahead(question.cursor.document.uri, question.cursor.prefix)
        likely = replace(question, frozen=frozen)
        self.ahead.start(engine, lambda: likely.request(likely.gather(), 0, AHEAD_SECONDS))

    @property
    def _is_searching(self) -> bool:
        return self._search is not None and self._search.is_under_way

    def changed(self, document: Document) -> None:
        """Take note of a change: end what the engine does for the text before it, unless that may still fit."""
        search, self._waiting = self._search, None
        if search is None or not search.follow(search.question.cursor.moved_to(document)):
            self.ahead.stop()

    def interrupt(self) -> None:
        """End the search under way, and the work ahead of the last one."""
        self._waiting = None
        if self._search is not None:
            self._search.cancelled.set()
        self.ahead.stop()

    async def _run(self, search: Search, engine: TextEngine) -> None:
        try:
            with self.host.working():
                await asyncio.to_thread(search.run, engine)
        except QuickfillError:
            search.cancelled.set()  # whoever asks again wants it tried again
            raise
        if search.cancelled.is_set() or not search.is_answer:
            return
        self.cache.put(search.question.cursor, search.found)
        if search.found and search.asked is not None:
            accepted = self._after_acceptance(search.asked, search.question.cursor, search.found[0])
            self.ahead.start(engine, lambda: accepted)

    async def _found_soon(self, search: Search) -> tuple[Suggestion, ...]:
        """Return what is found: soon where that is anything, else within the budget. A caller who asked for it and
        cancels ends the search."""
        if search.task is None:
            return ()
        try:
            await self._until_soon(search, search.question)
        except asyncio.CancelledError:
            if search.question.invoked:
                search.cancelled.set()
            raise
        if search.task.done():
            search.task.result()
        # Once something was typed the answer is for whoever asks at the new place.
        return () if search.cancelled.is_set() or search.typed else search.found

    async def _until_soon(self, search: Search, question: SuggestionQuery) -> None:
        """Wait for the search's end within the budget, but where it has something no longer than is felt as late."""
        started, soon = time.monotonic(), SOON if question.invoked else min(SOON_UNASKED, question.budget)
        most = max(soon, question.budget)
        while search.is_under_way and time.monotonic() < started + (soon if search.has_for_cursor() else most):
            await search.wait(POLL_SECONDS)
        self._keep_what_there_is(search)

    async def _tell_later(self, question: SuggestionQuery, search: Search, given: tuple[Suggestion, ...]) -> None:
        """Tell the editor as soon as there is more for the question than it was given: anything where that was nothing,
        all of it where that was a beginning."""
        while search.is_under_way and question is self._waiting and (given or not search.has_for_cursor()):
            await search.wait(POLL_SECONDS)
        if question is self._waiting and not search.cancelled.is_set():
            self._keep_what_there_is(search)
            known = self.cache.get(question.cursor)
            if known and known[:1] != given:
                self.tell_of_more(question.cursor.document)

    def _keep_what_there_is(self, search: Search) -> None:
        if search.is_under_way and search.found and not search.cancelled.is_set():
            # What is shown may be accepted in part while the search goes on, which ends it.
            self.cache.put(search.question.cursor, search.found)
