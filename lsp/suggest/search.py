"""A search for the suggestions at a cursor, which goes on while the user pauses or types what it finds."""

from __future__ import annotations

import asyncio
import threading
import uuid
from dataclasses import dataclass, field
from itertools import takewhile

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest
from coder.api.streams import After, AnyOf, Cancellation
from coder.api.text_engine import TextEngine
from coder.syntax.soundness import is_sound
from lsp.suggest.drafts import Draft, SuggestionQuery, drafts
from lsp.suggest.gate import Gate, WrittenDoubt, doubt, first_lines
from lsp.suggest.suggestion_cache import CursorPlace, Suggestion
from lsp.suggest.surroundings import Cursor

LONGEST_PARSED = 200_000
"""Characters of a document in which suggestions that parse go before others: it takes milliseconds."""

UNASKED_SECONDS = 10.0
"""The most that a search takes which nobody asked for, unless its budget is larger: another window may wait for the
engine. What was read by then stays in its cache, so that the next search gets further."""


@dataclass
class Search:
    """The suggestions for one question, which a thread finds one after the other.

    An unasked search goes on while the user pauses, or types what may be the beginning of its answer: on a busy machine
    that comes later than the next key, and starting anew with each key would never end. It ends at the first line that
    is too unlikely to be shown.

    Attributes:
        gate: decides what is shown unasked.
        cancelled: set it to end the search.
        enough: set where nothing more than is found will be shown.
        whole: whether the model had time for its answer; where it had not, that nothing is found says nothing.
        found: so far, the likeliest text first.
        asked: the first request to the engine.
        typed: by the user since the question.
        written: the beginning of the likeliest text, so far.
        first_line: the doubt about the line that is shown first, once it is there.
        task: runs until all is found; None before the engine is there.
    """

    question: SuggestionQuery
    gate: Gate
    cancelled: threading.Event = field(default_factory=threading.Event)
    enough: threading.Event = field(default_factory=threading.Event)
    whole: bool = False
    found: tuple[Suggestion, ...] = ()
    asked: CompletionRequest | None = None
    typed: str = ""
    written: str = ""
    first_line: float | None = None
    task: asyncio.Task[None] | None = None
    _doubt: WrittenDoubt = field(default_factory=WrittenDoubt)
    _likeliest: str = field(default_factory=lambda: uuid.uuid4().hex)
    """The likeliest suggestion's id, while there is more and more of it."""

    def run(self, engine: TextEngine) -> None:
        """Find them, in any thread."""
        ends: list[Cancellation] = [self.cancelled, self.enough]
        if not self.question.invoked:
            ends.append(After(max(UNASKED_SECONDS, self.question.budget)))
        for draft in drafts(engine, self.question, AnyOf(*ends), self._note):
            self.asked = self.asked or draft.request
            self.whole = self.whole or draft.completion.finish_reason != "deadline"
            if self.question.invoked:
                self._add(draft)
            else:
                self._replace(draft.completion)
            if len(self.found) == self.question.wanted:
                break

    def _add(self, draft: Draft) -> None:
        """Take a text that was asked for, however unlikely it is."""
        cursor, completion, text = self.question.cursor, draft.completion, draft.completion.text
        if not text or text in [other.text for other in self.found]:
            return
        joined = cursor.prefix + text + cursor.suffix[cursor.replaces :]
        parses = len(joined) > LONGEST_PARSED or is_sound(joined, cursor.document.language) is not False
        probability = self.gate.calibration.probability(doubt(completion.confidence, completion.tokens))
        name = self._likeliest if draft.likeliest else uuid.uuid4().hex
        new = Suggestion(name, text, cursor.replaces, probability, parses)
        # The whole of the likeliest text stands in for its beginning.
        others = [] if draft.likeliest else self.found
        self.found = tuple(sorted([*others, new], key=lambda each: not each.parses))

    def _replace(self, completion: Completion) -> None:
        """Take what of a finished text that nobody asked for is likely enough."""
        text = completion.text
        if completion.finish_reason == "deadline" and "\n" not in text.strip():
            return  # half a line, with half a word or brackets closed in the middle at its end
        if not self.written:  # it came at once
            self._doubt.note(CanvasUpdate(text, (), 1, completion.tokens, completion.confidence))
        self._show(text)

    def _show(self, text: str) -> None:
        """Let what of the likeliest text is likely enough be what is found: whole lines, at least its first one."""
        written = text if self.written.startswith(text) else self.written or text
        probabilities = [self.gate.calibration.probability(line) for line in self._doubt.lines(written)]
        if self.first_line is None:
            self.first_line = next(self._doubt.lines(written), None)
        if not text or not probabilities or probabilities[0] < self.gate.threshold:
            return
        likely = [*takewhile(lambda probability: probability >= self.gate.threshold, probabilities)]
        # What replaces brackets behind the cursor has its own at its end.
        shown = text if self.question.cursor.replaces else first_lines(text, len(likely))
        self.found = (Suggestion(self._likeliest, shown, self.question.cursor.replaces, probabilities[0]),)

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
        self._doubt.note(update)
        if self.question.invoked or not update.tokens:
            return
        self.written = update.settled
        self._end_if_contradicted()
        self._show(update.stays)
        if not self._may_show_more():
            self.enough.set()

    def _may_show_more(self) -> bool:
        """Return whether more may be likely enough, were the model sure of what is to come of the line under way."""
        lines = [*self._doubt.lines(self.written)]
        if self.question.cursor.mode == "line":
            # The model writes what stands behind the cursor too, of which nothing is shown.
            lines = [self._doubt.beginning]
        elif not self.found:
            lines = lines[:1]  # until there are lines that stay, the first one decides alone
        return all(self.gate.calibration.probability(line) >= self.gate.threshold for line in lines)

    @property
    def is_under_way(self) -> bool:
        return self.task is not None and not self.task.done()

    async def wait(self, seconds: float) -> None:
        """Wait for its end, but no longer than this."""
        if self.task is not None:
            await asyncio.wait([self.task], timeout=seconds)

    @property
    def is_answer(self) -> bool:
        """Return whether what is found is the model's answer, not that time ran out before it had one."""
        return bool(self.found) or self.whole or self.enough.is_set()

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
