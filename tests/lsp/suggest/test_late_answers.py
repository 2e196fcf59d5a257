"""Answers that come when the user has typed on: shown where they still fit, and nowhere else."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, EngineEvent, FinishReason
from coder.api.streams import NEVER, Cancellation
from coder.diffusion.events import Statistics
from lsp.documents import Document, TextChange
from lsp.engine.engine_host import EngineHost
from lsp.settings import Settings
from lsp.suggest.drafts import SuggestionQuery
from lsp.suggest.gate import Gate, TypingSpeed
from lsp.suggest.suggester import Suggester
from lsp.suggest.suggestion_cache import Suggestion
from lsp.suggest.surroundings import cursor_in
from tests.lsp.scripted import CONFIDENCE, ScriptedEngine

URI, BEFORE, AFTER = "file:///a.py", "x = ", "\nprint(x)\n"
LETTERS = st.sampled_from("ab")


@dataclass
class Stream:
    """An answer that is written when the test says so."""

    place: str
    cancelled: Cancellation
    pieces: queue.SimpleQueue[str | None] = field(default_factory=queue.SimpleQueue)
    written: str = ""
    noted: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def is_live(self) -> bool:
        return not self.cancelled.is_set() and not self.ended.is_set()


class HeldEngine(ScriptedEngine):
    """Writes a piece of its answer for each one that it is given; None ends the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.streams: list[Stream] = []

    def stream(
        self, request: CompletionRequest, cancelled: Cancellation | None = None
    ) -> Generator[EngineEvent, None, None]:
        stream = Stream(request.prefix.removeprefix(BEFORE), cancelled or NEVER)
        self.streams.append(stream)
        try:
            reason: FinishReason = "cancelled"
            while not stream.cancelled.is_set():
                try:
                    piece = stream.pieces.get(timeout=0.002)
                except queue.Empty:
                    continue
                if piece is None:
                    reason = "end"
                    break
                stream.written += piece
                yield CanvasUpdate(stream.written, (), 1, len(stream.written), CONFIDENCE)
                stream.noted.set()
            statistics = Statistics("held", tokens=len(stream.written), mean_confidence=CONFIDENCE)
            yield Completion(stream.written if reason == "end" else "", reason, 0, 0.0, statistics)
        finally:
            stream.ended.set()


def agree(one: str, other: str) -> bool:
    """Tell whether one of two texts is the beginning of the other."""
    return one.startswith(other) or other.startswith(one)


Shown = tuple[Suggestion, ...]


class TypingSession(RuleBasedStateMachine):
    """A user who types and deletes letters, an editor that asks at every key, and an engine that writes letters."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.engine = HeldEngine()
        self.document = Document(URI, "python", 1, BEFORE + AFTER)
        self.request: asyncio.Task[Shown] | None = None
        self.asked_at = ""
        self.overtaken: list[tuple[str, asyncio.Task[Shown]]] = []
        self.answers: set[str] = set()
        self.loop.run_until_complete(self._open())

    async def _open(self) -> None:
        host = EngineHost(lambda: self.engine, lambda: None)
        self.suggester = Suggester(host, Gate(chosen=0.0), TypingSpeed(interval=0.0))
        await host.client()

    @property
    def line(self) -> str:
        return self.document.text.removeprefix(BEFORE).removesuffix(AFTER)

    @property
    def stream(self) -> Stream | None:
        """The answer that the engine is at work on."""
        return next((stream for stream in self.engine.streams if stream.is_live), None)

    @rule(letter=LETTERS, cancels=st.booleans())
    def type(self, letter: str, cancels: bool) -> None:
        end, stream = len(BEFORE + self.line), self.stream
        request = self.request
        self._change(TextChange(letter, ((0, end), (0, end))))
        if cancels and request is not None:
            request.cancel()
        self._ask()
        if stream is not None and agree(stream.place + stream.written, self.line):
            assert stream.is_live, "an answer that may fit goes on"

    @precondition(lambda self: self.line)
    @rule()
    def delete(self) -> None:
        end = len(BEFORE + self.line)
        self._change(TextChange("", ((0, end - 1), (0, end))))

    @precondition(lambda self: self.request is not None)
    @rule()
    def cancel(self) -> None:
        assert self.request is not None
        self.request.cancel()
        self._settle()

    @precondition(lambda self: self.stream is not None)
    @rule(letter=LETTERS)
    def write(self, letter: str) -> None:
        stream = self.stream
        assert stream is not None
        stream.noted.clear()
        stream.pieces.put(letter)
        self._until(stream.noted.is_set)
        self._settle()

    @precondition(lambda self: self.stream is not None)
    @rule()
    def finish(self) -> None:
        stream, request = self.stream, self.request
        assert stream is not None
        self.answers.add(stream.place + stream.written)
        stream.pieces.put(None)
        self._until(stream.ended.is_set)
        self._settle()
        rest = (stream.place + stream.written).removeprefix(self.line)
        fits = (stream.place + stream.written).startswith(self.line) and rest
        if fits and request is not None and not request.cancelled():
            assert [suggestion.text for suggestion in request.result()] == [rest], "an answer that fits is not lost"

    @invariant()
    def what_is_shown_goes_on_from_the_document(self) -> None:
        if self.request is not None and self.request.done() and not self.request.cancelled():
            for suggestion in self.request.result():
                assert self.asked_at + suggestion.text in self.answers

    @invariant()
    def the_engine_writes_nothing_that_contradicts(self) -> None:
        for stream in self.engine.streams:
            whole = stream.place + stream.written
            assert not stream.is_live or agree(whole, self.line)

    @invariant()
    def who_asked_about_another_text_is_shown_nothing(self) -> None:
        for asked_at, request in self.overtaken:
            if request.done() and not request.cancelled():
                assert not request.result() or asked_at == self.line
        self.overtaken = [(asked_at, request) for asked_at, request in self.overtaken if not request.done()]

    @invariant()
    def whoever_asks_is_answered_or_being_answered(self) -> None:
        assert self.request is None or self.request.done() or self.stream is not None

    def teardown(self) -> None:
        self.suggester.interrupt()
        self._until(lambda: all(stream.ended.is_set() for stream in self.engine.streams))
        if self.request is not None:
            self.request.cancel()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def _change(self, change: TextChange) -> None:
        if self.request is not None and not self.request.done():
            self.overtaken.append((self.asked_at, self.request))
        self.request = None
        self.document = self.document.changed([change], self.document.version + 1)
        self.suggester.changed(self.document.unix)
        self._settle()

    def _ask(self) -> None:
        place = len(BEFORE + self.line)
        question = SuggestionQuery(cursor_in(self.document, place, place), Settings(budget_ms=60_000), invoked=False)
        self.asked_at, self.request = self.line, self.loop.create_task(self.suggester.suggest(question))
        self._settle()

    def _settle(self) -> None:
        """Let everybody go on until only the engine's answer, or the user, is waited for."""
        self.loop.run_until_complete(asyncio.sleep(0))
        self._until(lambda: self.request is None or self.request.done() or self.stream is not None)
        self._until(lambda: all(stream.is_live or stream.ended.is_set() for stream in self.engine.streams))

    def _until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline
            self.loop.run_until_complete(asyncio.sleep(0.001))


TypingSession.TestCase.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)
test_a_typing_session = TypingSession.TestCase
