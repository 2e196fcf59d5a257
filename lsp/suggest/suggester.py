"""Suggestions at a cursor: remembered ones, or those that the model writes, if they are likely enough."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass, field, replace

from coder.api.completion import CompletionRequest
from coder.api.text_engine import TextEngine
from coder.context.frozen_prefix import FrozenPrefixes
from coder.context.window import average_tokens
from lsp.engine.engine_host import EngineHost
from lsp.suggest.drafts import SuggestionQuery, drafts
from lsp.suggest.gate import Gate, TypingSpeed, wants_unasked
from lsp.suggest.surroundings import Cursor

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
    """

    id: str
    text: str
    replaces: int = 0
    probability: float = 0.0

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

    def clear(self) -> None:
        self._found.clear()


log = logging.getLogger(__name__)


@dataclass
class WorkAhead:
    """At most one piece of work at a time, on the event loop's thread; the engine puts any request first."""

    _stopped: threading.Event = field(default_factory=threading.Event)
    _task: asyncio.Task[None] | None = None

    def start(self, engine: TextEngine, request: CompletionRequest) -> None:
        """Bring the context of a request that may come into the engine's cache."""
        self.stop()
        self._stopped = threading.Event()
        self._task = asyncio.create_task(_prefill(engine, request, self._stopped))

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
    frozen: FrozenPrefixes = field(default_factory=lambda: FrozenPrefixes(average_tokens))
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
                frozen = self.frozen.at(question.cursor.document.uri, question.cursor.prefix)
                asking = replace(question, frozen=frozen)
                asked, found = await asyncio.to_thread(self._find, engine, asking, cancelled)
            if cancelled.is_set():
                return ()
            self.cache.put(question.cursor, found)
            if found:
                self.ahead.start(engine, self._after_acceptance(asked[0], question.cursor, found[0]))
            return found
        finally:
            cancelled.set()

    def _after_acceptance(
        self, request: CompletionRequest, cursor: Cursor, suggestion: Suggestion
    ) -> CompletionRequest:
        """Return the request that comes when the suggestion is accepted, or typed."""
        prefix = cursor.prefix + suggestion.text
        return replace(request, prefix=prefix, frozen=self.frozen.ahead(cursor.document.uri, prefix))

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
