"""Suggestions at a cursor: remembered ones, or those that the model writes, if they are likely enough."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from coder.api.completion import CompletionRequest
from coder.api.text_engine import TextEngine
from coder.context.window import FrozenPrefixes, average_tokens
from coder.errors import QuickfillError
from coder.syntax.soundness import is_sound
from lsp.engine.engine_host import EngineHost
from lsp.suggest.drafts import SuggestionQuery, drafts
from lsp.suggest.gate import Gate, TypingSpeed, wants_unasked
from lsp.suggest.surroundings import Cursor

SOON = 0.65
"""Seconds after which those who asked are given what there is."""

POLL_SECONDS = 0.02

LONGEST_PARSED = 200_000
"""Characters of a document in which suggestions that parse go before others: it takes milliseconds."""

REMEMBERED = 64

CHARACTERS_BEFORE, CHARACTERS_BEHIND = 2000, 500
"""Characters around a suggestion that have to be the same for it to be used again."""


@dataclass(frozen=True)
class Suggestion:
    """A text to be shown.

    Attributes:
        id: names it in commands and notifications.
        text: what is inserted at the cursor, with line feeds alone.
        replaces: how many characters of the suffix it stands in for.
        probability: that it is right, as calibrated.
        parses: false where it leaves the document broken.
    """

    id: str
    text: str
    replaces: int = 0
    probability: float = 0.0
    parses: bool = True

    def without(self, typed: str) -> Suggestion:
        return replace(self, text=self.text[len(typed) :])


@dataclass(frozen=True)
class _CursorPlace:
    """A cursor by the text around it."""

    uri: str
    selected: str
    length: int
    before: str
    behind: str

    @staticmethod
    def of(cursor: Cursor) -> _CursorPlace:
        prefix = cursor.prefix
        before, behind = prefix[-CHARACTERS_BEFORE:], cursor.suffix[:CHARACTERS_BEHIND]
        return _CursorPlace(cursor.document.uri, cursor.selected, len(prefix), before, behind)

    def typed_since(self, cursor: Cursor) -> str | None:
        """The text typed at this place since; None where anything else has changed."""
        prefix = cursor.prefix
        same_place = (
            self.uri == cursor.document.uri
            and self.selected == cursor.selected
            and self.behind == cursor.suffix[:CHARACTERS_BEHIND]
            and self.length <= len(prefix)
            and prefix.endswith(self.before, 0, self.length)
        )
        return prefix[self.length :] if same_place else None


class SuggestionCache:
    """The latest suggestions. One serves its own place and every place that is reached by typing its beginning."""

    def __init__(self) -> None:
        self._found: OrderedDict[_CursorPlace, tuple[Suggestion, ...]] = OrderedDict()

    def put(self, cursor: Cursor, suggestions: tuple[Suggestion, ...]) -> None:
        """Remember the suggestions of a place; none, too, so that the model is not asked twice."""
        place = _CursorPlace.of(cursor)
        self._found[place] = suggestions
        self._found.move_to_end(place)
        while len(self._found) > REMEMBERED:
            self._found.popitem(last=False)

    def get(self, cursor: Cursor) -> tuple[Suggestion, ...] | None:
        """Suggestions for a place, the latest first; None where the model has to be asked."""
        for place, suggestions in reversed(self._found.items()):
            typed = place.typed_since(cursor)
            if typed is None:
                continue
            fitting = tuple(
                suggestion.without(typed)
                for suggestion in suggestions
                if suggestion.text.startswith(typed) and suggestion.text != typed
            )
            if fitting or not typed:
                return fitting
        return None

    def prefer(self, id: str) -> None:
        """Put a suggestion first at its place: a part of it was accepted, so the rest is what the user wants to see."""
        for place, suggestions in self._found.items():
            if any(suggestion.id == id for suggestion in suggestions):
                self._found[place] = tuple(sorted(suggestions, key=lambda suggestion: suggestion.id != id))

    def clear(self) -> None:
        self._found.clear()


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

    Attributes:
        cancelled: set it to end the search.
        found: so far, the likeliest text first.
        asked: the first request to the engine.
        task: runs until all is found; None before the engine is there.
    """

    question: SuggestionQuery
    cancelled: threading.Event = field(default_factory=threading.Event)
    found: tuple[Suggestion, ...] = ()
    asked: CompletionRequest | None = None
    task: asyncio.Task[None] | None = None

    def run(self, engine: TextEngine, gate: Gate) -> None:
        """Find them, in any thread."""
        cursor, invoked = self.question.cursor, self.question.invoked
        language = cursor.document.language
        for draft in drafts(engine, self.question, self.cancelled):
            self.asked = self.asked or draft.request
            text = draft.completion.text
            probability = gate.calibration.probability(draft.completion, cursor.mode)
            if not text or text in [other.text for other in self.found]:
                continue
            if invoked or probability >= gate.threshold:
                joined = cursor.prefix + text + cursor.suffix[cursor.replaces :]
                parses = not invoked or len(joined) > LONGEST_PARSED or is_sound(joined, language) is not False
                new = Suggestion(uuid.uuid4().hex, text, cursor.replaces, probability, parses)
                # The whole of the likeliest text stands in for its beginning.
                others = [] if draft.likeliest else self.found
                self.found = tuple(sorted([*others, new], key=lambda each: not each.parses))
            if len(self.found) == self.question.wanted:
                break

    def answers(self, question: SuggestionQuery) -> bool:
        """Tell whether it is the search for a question that is asked again, and was not ended."""
        mine = self.question
        same = mine.cursor == question.cursor and mine.settings == question.settings
        return same and mine.invoked and question.invoked and not question.watch and not self.cancelled.is_set()


@dataclass
class Suggester:
    """Answers one question at a time; a newer one ends the one before, which then has no suggestions.

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

    async def suggest(self, question: SuggestionQuery) -> tuple[Suggestion, ...]:
        """Return at most one suggestion while the user types, up to `settings.alternatives` where they were asked for.

        Raises:
            QuickfillError: the engine cannot do it, or is not there.
        """
        search = self._search
        if search is not None and search.task is not None and search.answers(question):
            return await self._found_soon(search, search.task)
        self.interrupt()
        search = self._search = Search(question)
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

    def interrupt(self) -> None:
        """End the search under way, and the work ahead of the last one."""
        if self._search is not None:
            self._search.cancelled.set()
        self.ahead.stop()

    async def _run(self, search: Search, engine: TextEngine) -> None:
        try:
            with self.host.working():
                await asyncio.to_thread(search.run, engine, self.gate)
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
        """Return what is found: after `SOON` where that is anything, else within the budget. A cancelled caller ends
        the search."""
        question, started = search.question, time.monotonic()
        budget = max(SOON, question.settings.budget_ms / 1000.0)
        try:
            while not task.done() and time.monotonic() < started + (SOON if search.found else budget):
                await asyncio.wait([task], timeout=POLL_SECONDS if question.invoked else None)
        except asyncio.CancelledError:
            search.cancelled.set()
            raise
        if task.done():
            task.result()
        elif search.found and not search.cancelled.is_set():
            # What is shown may be accepted in part while the search goes on, which ends it.
            self.cache.put(search.question.cursor, search.found)
        return () if search.cancelled.is_set() else search.found
