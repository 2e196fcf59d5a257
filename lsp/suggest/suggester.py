"""Suggestions at a cursor: remembered ones, or those that the model writes, if they are likely enough."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from coder.api.completion import CanvasUpdate, CompletionRequest
from coder.api.streams import AnyOf
from coder.api.text_engine import TextEngine
from coder.context.window import FrozenPrefixes, average_tokens
from coder.errors import QuickfillError
from coder.syntax.soundness import is_sound
from lsp.documents import Document
from lsp.engine.engine_host import EngineHost
from lsp.suggest.drafts import MOST_TOKENS, SuggestionQuery, drafts
from lsp.suggest.gate import Gate, TypingSpeed, wants_unasked
from lsp.suggest.suggestion_cache import CursorPlace, Suggestion, SuggestionCache
from lsp.suggest.surroundings import Cursor

SOON = 0.65
"""Seconds after which those who asked are given what there is."""

SOON_UNASKED = 0.4
"""Seconds after which those who pause are given the whole lines that there are: most blocks are finished later."""

POLL_SECONDS = 0.02

LONGEST_PARSED = 200_000
"""Characters of a document in which suggestions that parse go before others: it takes milliseconds."""

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
class Search:
    """The suggestions for one question, which a thread finds one after the other.

    An unasked search goes on while the user types what may be the beginning of its answer: on a busy machine that comes
    later than the next key, and starting anew with each key would never end. It finds nothing, and ends, as soon as
    what is written is too unlikely to be shown.

    Attributes:
        gate: decides what is shown unasked.
        cancelled: set it to end the search.
        hopeless: set where nothing will be shown.
        found: so far, the likeliest text first.
        asked: the first request to the engine.
        typed: by the user since the question.
        written: the beginning of the likeliest text, so far.
        first_line: the mean probability of its first line's tokens and their number, once it is there.
        task: runs until all is found; None before the engine is there.
    """

    question: SuggestionQuery
    gate: Gate
    cancelled: threading.Event = field(default_factory=threading.Event)
    hopeless: threading.Event = field(default_factory=threading.Event)
    found: tuple[Suggestion, ...] = ()
    asked: CompletionRequest | None = None
    typed: str = ""
    written: str = ""
    first_line: tuple[float, int] | None = None
    task: asyncio.Task[None] | None = None
    _likeliest: str = field(default_factory=lambda: uuid.uuid4().hex)
    """The likeliest suggestion's id, while there is more and more of it."""

    def run(self, engine: TextEngine) -> None:
        """Find them, in any thread."""
        cursor, invoked = self.question.cursor, self.question.invoked
        language = cursor.document.language
        for draft in drafts(engine, self.question, AnyOf(self.cancelled, self.hopeless), self._note):
            self.asked = self.asked or draft.request
            completion, text = draft.completion, draft.completion.text
            sure = completion.confidence, completion.tokens
            if draft.likeliest:
                sure = self.first_line = self.first_line or sure
            probability = self.gate.calibration.probability(*sure)
            if not text or text in [other.text for other in self.found]:
                continue
            if not invoked and completion.finish_reason == "deadline" and "\n" not in text.strip():
                continue  # half a line, with half a word or brackets closed in the middle at its end
            if invoked or probability >= self.gate.threshold:
                joined = cursor.prefix + text + cursor.suffix[cursor.replaces :]
                parses = not invoked or len(joined) > LONGEST_PARSED or is_sound(joined, language) is not False
                name = self._likeliest if draft.likeliest else uuid.uuid4().hex
                new = Suggestion(name, text, cursor.replaces, probability, parses)
                # The whole of the likeliest text stands in for its beginning.
                others = [] if draft.likeliest else self.found
                self.found = tuple(sorted([*others, new], key=lambda each: not each.parses))
            if len(self.found) == self.question.wanted:
                break

    def follow(self, cursor: Cursor) -> bool:
        """Go on if all that led to this cursor is typing that may be the beginning of the answer, else end. Return
        whether the search goes on."""
        typed = CursorPlace.of(self.question.cursor).typed_since(cursor)
        if typed is None or self.question.invoked or self.task is None:
            self.cancelled.set()
        else:
            self.typed = typed
            self._end_if_contradicted()
        return not self.cancelled.is_set()

    def _note(self, update: CanvasUpdate) -> None:
        sure = update.confidence, update.tokens
        if self.first_line is None and "\n" in update.settled.lstrip():
            self.first_line = sure
        if self.question.invoked:
            return
        self.written = update.settled
        self._end_if_contradicted()
        calibration, threshold = self.gate.calibration, self.gate.threshold
        if self.first_line is None:
            if calibration.most_probable(*sure, MOST_TOKENS["line"]) < threshold:
                self.hopeless.set()
        elif (probability := calibration.probability(*self.first_line)) < threshold:
            self.hopeless.set()
        elif update.stays:
            self.found = (Suggestion(self._likeliest, update.stays, self.question.cursor.replaces, probability),)

    def has_for_cursor(self) -> bool:
        """Tell whether anything is found that goes on behind what was typed."""
        return any(len(one.text) > len(self.typed) and one.text.startswith(self.typed) for one in self.found)

    def _end_if_contradicted(self) -> None:
        # Two threads call it, each after writing its own part: whichever comes last sees both.
        if not (self.written.startswith(self.typed) or self.typed.startswith(self.written)):
            self.cancelled.set()

    def answers(self, question: SuggestionQuery) -> bool:
        """Tell whether it is the search for a question that is asked again, and was not ended."""
        mine = self.question
        same = mine.cursor == question.cursor and mine.settings == question.settings
        return same and mine.invoked and question.invoked and not question.watch and not self.cancelled.is_set()


@dataclass
class Suggester:
    """Answers one question at a time; a newer one ends the one before, which then has no suggestions. But where the
    user has only typed on meanwhile, and the answer under way may still fit, it answers the newer question.

    It runs on the event loop's thread, the model in others. Who asks is given what there is soon. The other suggestions
    are searched on, and given when the same question is asked again, as editors do when their user wants to see more.
    """

    host: EngineHost
    gate: Gate
    typing: TypingSpeed
    cache: SuggestionCache = field(default_factory=SuggestionCache)
    ahead: WorkAhead = field(default_factory=WorkAhead)
    frozen: FrozenPrefixes = field(default_factory=lambda: FrozenPrefixes(average_tokens))
    _search: Search | None = None
    _waiting: SuggestionQuery | None = None
    """The newest question, until the text changes."""

    async def suggest(self, question: SuggestionQuery) -> tuple[Suggestion, ...]:
        """Return at most one suggestion while the user types, up to `settings.alternatives` where they were asked for.

        Raises:
            QuickfillError: the engine cannot do it, or is not there.
        """
        search = self._search
        if search is not None and search.task is not None and search.answers(question):
            return await self._found_soon(search, search.task)
        late = search.task if search is not None and not question.invoked and search.follow(question.cursor) else None
        if late is None:
            self.interrupt()
        self._waiting = question
        if not question.invoked:
            if not wants_unasked(question.cursor, question.settings):
                return ()
            if search is not None and late is not None and self.cache.get(question.cursor) is None:
                await self._until_soon(search, late)
                if question is not self._waiting:
                    return ()
            known = self.cache.get(question.cursor)
            if known is not None:
                return known[:1]
            if not self.host.is_ready:
                self.host.recover()
                return ()
        self.interrupt()
        search = self._search = Search(question, self.gate)
        if not question.invoked:
            await asyncio.sleep(self.typing.wait(time.monotonic()))
        engine = await self.host.client()
        if search.cancelled.is_set():
            return ()
        frozen = self.frozen.at(question.cursor.document.uri, question.cursor.prefix)
        search.question = replace(question, frozen=frozen)
        search.task = asyncio.create_task(self._run(search, engine))
        # Whoever waits for it gets its error; where nobody does any more, the host's state tells.
        search.task.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await self._found_soon(search, search.task)

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
        search = self._search
        return search is not None and search.task is not None and not search.task.done()

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
        if search.cancelled.is_set():
            return
        self.cache.put(search.question.cursor, search.found)
        if search.found and search.asked is not None:
            accepted = self._after_acceptance(search.asked, search.question.cursor, search.found[0])
            self.ahead.start(engine, lambda: accepted)

    async def _found_soon(self, search: Search, task: asyncio.Task[None]) -> tuple[Suggestion, ...]:
        """Return what is found: soon where that is anything, else within the budget. A caller who asked for it and
        cancels ends the search."""
        try:
            await self._until_soon(search, task)
        except asyncio.CancelledError:
            if search.question.invoked:
                search.cancelled.set()
            raise
        if task.done():
            task.result()
        # Once something was typed the answer is for whoever asks at the new place.
        return () if search.cancelled.is_set() or search.typed else search.found

    async def _until_soon(self, search: Search, task: asyncio.Task[None]) -> None:
        """Wait for the search's end, but where it has something no longer than is felt as late."""
        question, started = search.question, time.monotonic()
        soon, most = SOON_UNASKED, float("inf")  # the engine keeps the budget; a pass more is no loss to who types
        if question.invoked:
            soon, most = SOON, max(SOON, question.settings.budget_ms / 1000.0)
        while not task.done() and time.monotonic() < started + (soon if search.has_for_cursor() else most):
            await asyncio.wait([task], timeout=POLL_SECONDS)
        if not task.done() and search.found and not search.cancelled.is_set():
            # What is shown may be accepted in part while the search goes on, which ends it.
            self.cache.put(question.cursor, search.found)
