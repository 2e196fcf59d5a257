"""An answer that comes after the budget: the search goes on, what arrives is kept, the editor is told to ask again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator
from dataclasses import replace

import pytest

from coder.api.completion import Completion, CompletionRequest, EngineEvent
from coder.api.streams import Cancellation
from coder.diffusion.events import Statistics
from lsp.documents import Document, TextChange
from lsp.engine.engine_host import EngineHost
from lsp.settings import Settings
from lsp.suggest import search, suggester
from lsp.suggest.drafts import SuggestionQuery
from lsp.suggest.gate import Calibration, Gate, TypingSpeed
from lsp.suggest.suggester import Suggester
from lsp.suggest.surroundings import cursor_in
from tests.lsp.scripted import CONFIDENCE, ScriptedEngine
from tests.lsp.suggest.test_late_answers import HeldEngine, Stream

pytestmark = pytest.mark.asyncio

BEFORE, AFTER = "x = ", "\nprint(x)\n"
IMPATIENT = Settings(budget_ms=50)


GATE = Gate(Calibration(bias=0.0, doubt=-2.0), chosen=0.4)
"""It lets pass what is expected to have about one wrong token at most."""


class Typist:
    """A user behind `x = `, whose editor gives up after 50 ms, and a suggester with an engine."""

    def __init__(self, engine: ScriptedEngine) -> None:
        self.document = Document("file:///a.py", "python", 1, BEFORE + AFTER)
        self.told: list[int] = []
        host = EngineHost(lambda: engine, lambda: None)
        self.suggester = Suggester(
            host, GATE, TypingSpeed(interval=0.0), lambda document: self.told.append(document.version)
        )

    def type(self, text: str) -> None:
        place = len(self.document.text) - len(AFTER)
        change = TextChange(text, ((0, place), (0, place)))
        self.document = self.document.changed([change], self.document.version + 1)
        self.suggester.changed(self.document.unix)

    async def texts(self, *, invoked: bool = False) -> list[str]:
        await self.suggester.host.client()
        place = len(self.document.text) - len(AFTER)
        question = SuggestionQuery(cursor_in(self.document, place, place), IMPATIENT, invoked)
        return [suggestion.text for suggestion in await self.suggester.suggest(question)]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.002)


async def finish(stream: Stream, text: str) -> None:
    stream.pieces.put(text)
    stream.pieces.put(None)
    await until(stream.ended.is_set)


async def test_an_answer_that_comes_after_the_budget_is_kept_and_told():
    engine = HeldEngine()
    typist = Typist(engine)
    assert await typist.texts() == []
    assert typist.told == []
    await finish(engine.streams[0], "total")
    await until(lambda: typist.told == [1])
    assert await typist.texts() == ["total"]
    assert len(engine.streams) == 1


async def test_who_types_is_answered_within_the_budget_although_usually_it_is_longer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(suggester, "SOON_UNASKED", 10.0)
    started = time.monotonic()
    assert await Typist(HeldEngine()).texts() == []
    assert time.monotonic() - started < 5.0


async def test_a_search_that_takes_too_long_ends_and_the_next_key_begins_another(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(search, "UNASKED_SECONDS", 0.2)
    engine = HeldEngine()
    typist = Typist(engine)
    assert await typist.texts() == []
    await until(engine.streams[0].ended.is_set)
    assert typist.told == []
    monkeypatch.undo()
    assert await typist.texts() == []
    await finish(engine.streams[1], "total")
    await until(lambda: typist.told == [1])
    assert await typist.texts() == ["total"]


async def test_it_is_kept_for_who_types_its_beginning_meanwhile():
    engine = HeldEngine()
    typist = Typist(engine)
    assert await typist.texts() == []
    typist.type("to")
    assert await typist.texts() == []
    await finish(engine.streams[0], "total")
    await until(lambda: typist.told == [2])
    assert await typist.texts() == ["tal"]
    assert len(engine.streams) == 1


async def test_what_contradicts_it_ends_it_and_asks_anew():
    engine = HeldEngine()
    typist = Typist(engine)
    assert await typist.texts() == []
    engine.streams[0].pieces.put("total")
    await until(engine.streams[0].noted.is_set)
    typist.type("s")
    await until(engine.streams[0].ended.is_set)
    assert await typist.texts() == []
    await finish(engine.streams[1], "um(x)")
    await until(lambda: typist.told == [2])
    assert await typist.texts() == ["um(x)"]


async def test_who_asks_for_it_does_not_wait_for_it():
    engine = HeldEngine()
    typist = Typist(engine)
    assert await typist.texts() == []
    asking = asyncio.create_task(typist.texts(invoked=True))
    await until(lambda: len(engine.streams) == 2)
    await until(engine.streams[0].ended.is_set)
    asking.cancel()


async def test_where_nothing_was_found_nobody_is_told():
    engine = HeldEngine()
    typist = Typist(engine)
    assert await typist.texts() == []
    await finish(engine.streams[0], "")
    assert await typist.texts() == []
    assert typist.told == [] and len(engine.streams) == 1


async def test_of_what_the_user_has_left_nobody_is_told():
    engine = HeldEngine()
    typist = Typist(engine)
    assert await typist.texts() == []
    typist.type("to")
    await finish(engine.streams[0], "total")
    assert await typist.texts() == ["tal"]
    assert typist.told == []


class HeldLines(HeldEngine):
    """A `HeldEngine` whose whole lines stay."""

    def stream(
        self, request: CompletionRequest, cancelled: Cancellation | None = None
    ) -> Generator[EngineEvent, None, None]:
        for event in super().stream(request, cancelled):
            yield event if isinstance(event, Completion) else replace(event, stays=event.settled.rpartition("\n")[0])


async def test_of_whole_lines_the_first_are_told_then_all():
    engine = HeldLines()
    typist = Typist(engine)
    assert await typist.texts() == []
    engine.streams[0].pieces.put("1\ny = 2")
    await until(lambda: typist.told == [1])
    assert await typist.texts() == ["1"]
    await finish(engine.streams[0], "\nz = 3")
    await until(lambda: typist.told == [1, 1])
    assert await typist.texts() == ["1\ny = 2\nz = 3"]
    assert len(engine.streams) == 1


class OutOfTime(ScriptedEngine):
    """Has no time for its first answer."""

    def stream(
        self, request: CompletionRequest, cancelled: Cancellation | None = None
    ) -> Generator[EngineEvent, None, None]:
        self.requests.append(request)
        late = len(self.requests) == 1
        statistics = Statistics("", tokens=1, mean_confidence=CONFIDENCE)
        yield Completion("" if late else "total", "deadline" if late else "end", 0, 0.0, statistics)


async def test_no_answer_for_want_of_time_is_not_remembered_as_one():
    typist = Typist(OutOfTime())
    assert await typist.texts() == []
    assert await typist.texts() == ["total"]
