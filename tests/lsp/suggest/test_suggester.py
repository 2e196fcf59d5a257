"""From a place to suggestions, with an engine that writes what it is told to."""

from __future__ import annotations

import asyncio
import threading

import pytest
import pytest_asyncio

from coder.api.completion import CanvasUpdate
from coder.errors import QuickfillError
from lsp.engine.engine_host import EngineHost
from lsp.settings import Settings
from lsp.suggest import suggester
from lsp.suggest.gate import Gate, TypingSpeed
from lsp.suggest.suggester import Suggester, SuggestionQuery
from tests.lsp.places import cursor_at
from tests.lsp.scripted import ScriptedEngine

FUNCTION = "def add(first, second):\n    |\n"
pytestmark = pytest.mark.asyncio


class Setting:
    """A suggester, its engines, and the states that its host went through."""

    def __init__(self, engine: ScriptedEngine | None = None, gate: Gate | None = None) -> None:
        self.engines: list[ScriptedEngine] = []
        self.states: list[str] = []
        self.host = EngineHost(self._open, lambda: self.states.append(self.host.state))
        self.suggester = Suggester(self.host, gate or Gate(), TypingSpeed())
        self._first = engine

    def _open(self) -> ScriptedEngine:
        self.engines.append(self._first if self._first and not self.engines else ScriptedEngine())
        return self.engines[-1]

    async def texts(self, text: str, invoked: bool = False, **settings: object) -> list[str]:
        question = SuggestionQuery(cursor_at(text), Settings.model_validate(settings), invoked)
        return [suggestion.text for suggestion in await self.suggester.suggest(question)]


@pytest_asyncio.fixture
async def setting() -> Setting:
    made = Setting()
    await made.host.client()
    return made


async def reached(moment: threading.Semaphore) -> None:
    assert await asyncio.to_thread(moment.acquire, timeout=20)


async def test_who_types_gets_one_who_asks_gets_several_different(setting: Setting):
    assert await setting.texts("total = |") == ["sum(values)"]
    assert await setting.texts("total = |", invoked=True) == ["sum(values)", "0", "len(values)"]
    assert await setting.texts("total = |", invoked=True, alternatives=2) == ["sum(values)", "0"]


class Patient(ScriptedEngine):
    """Writes the first answer at once, others when they are `allowed`."""

    def __init__(self) -> None:
        super().__init__()
        self.allowed = threading.Event()

    def stream(self, request, cancelled=None):
        if request.decoding.seed:
            assert self.allowed.wait(20)
        yield from super().stream(request, cancelled)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Patient:
    """An engine that is slow with alternatives, for a suggester that waits for none."""
    monkeypatch.setattr(suggester, "SOON", 0.0)
    return Patient()


async def test_who_asks_is_given_the_likeliest_soon_and_the_others_when_they_ask_again(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
):
    setting = Setting(patient)
    assert await setting.texts("total = |", invoked=True) == ["sum(values)"]
    assert await setting.texts("total = |", invoked=True) == ["sum(values)"]
    patient.allowed.set()
    monkeypatch.setattr(suggester, "SOON", 20.0)
    assert await setting.texts("total = |", invoked=True) == ["sum(values)", "0", "len(values)"]
    assert len(patient.requests) == 3


async def test_alternatives_are_searched_no_more_once_the_text_changes(patient: Patient):
    setting = Setting(patient)
    assert await setting.texts("total = |", invoked=True) == ["sum(values)"]
    setting.suggester.interrupt()
    patient.allowed.set()
    assert await setting.texts("print(|", invoked=True) == ["total)"]
    prefixes = [request.prefix for request in patient.requests if request.decoding.deadline_ms]
    assert prefixes.count("total = ") <= 2


async def test_what_leaves_the_document_sound_goes_first(setting: Setting):
    setting.engines[0].answers["broken = "] = ["1 +* 2", "3 + 4", "5 +/ 6"]
    assert await setting.texts("broken = |", invoked=True) == ["3 + 4", "1 +* 2", "5 +/ 6"]


async def test_alternatives_that_are_the_same_are_one(setting: Setting):
    assert await setting.texts(FUNCTION, invoked=True) == ["return first + second"]


async def test_typing_a_suggestion_asks_the_model_no_more(setting: Setting):
    engine = setting.engines[0]
    await setting.texts(FUNCTION)
    asked = [request.prefix for request in engine.requests]
    assert await setting.texts(FUNCTION.replace("|", "return fir|")) == ["st + second"]
    assert [request.prefix for request in engine.requests] == asked


async def test_doubtful_suggestions_are_shown_only_on_request(setting: Setting):
    assert await setting.texts("doubtful = |") == []
    assert await setting.texts("doubtful = |", invoked=True) == ["guess"]
    setting.suggester.cache.clear()
    setting.suggester.gate.chosen = 0.0
    assert await setting.texts("doubtful = |") == ["guess"]


async def test_what_is_too_unlikely_to_be_shown_is_not_written_to_its_end(setting: Setting):
    setting.engines[0].answers["hopeless = "] = ["?" + "1 + " * 100_000]
    assert await setting.texts("hopeless = |", budgetMs=60_000) == []
    await reached(setting.engines[0].ended)


class Slow(ScriptedEngine):
    """Writes one word, and the others when they are `allowed`."""

    def __init__(self) -> None:
        super().__init__()
        self.allowed = threading.Event()

    def stream(self, request, cancelled=None):
        for event in super().stream(request, cancelled):
            yield event
            if isinstance(event, CanvasUpdate) and event.stays:
                assert self.allowed.wait(20)


async def test_who_pauses_is_given_whole_lines_soon_and_the_rest_behind_them(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(suggester, "SOON_UNASKED", 0.0)
    engine = Slow()
    setting = Setting(engine)
    await setting.host.client()
    function = "func add(a int, b int) int {\n|\n}\n"
    assert await setting.texts(function) == ["    sum := a + b"]
    assert await setting.texts(function.replace("|", "    su|")) == ["m := a + b"]
    engine.allowed.set()
    assert await setting.texts(function.replace("|", "    sum := a + b|")) == ["\n    return sum"]
    assert len(engine.requests) == 1


async def test_half_a_line_is_not_shown_unasked(setting: Setting):
    assert await setting.texts("endless = |", budgetMs=50) == []


async def test_unasked_nothing_is_said_where_nothing_is_wanted(setting: Setting):
    assert await setting.texts("to|tal = ") == []
    assert await setting.texts("total = |", automatic=False) == []
    assert setting.engines[0].requests == []


async def test_the_newest_question_ends_the_one_before(setting: Setting):
    engine = setting.engines[0]
    older = asyncio.create_task(setting.texts("endless = |", invoked=True, budgetMs=60_000))
    await reached(engine.begun)
    assert await setting.texts("total = |") == ["sum(values)"]
    assert await older == []


async def test_a_cancelled_question_ends_the_work(setting: Setting):
    engine = setting.engines[0]
    asking = asyncio.create_task(setting.texts("endless = |", invoked=True, budgetMs=60_000))
    await reached(engine.begun)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await reached(engine.ended)


async def test_a_change_of_the_text_ends_the_question(setting: Setting):
    asking = asyncio.create_task(setting.texts("endless = |", invoked=True, budgetMs=60_000))
    await reached(setting.engines[0].begun)
    setting.suggester.interrupt()
    assert await asking == []


async def test_time_runs_out_for_all_suggestions_together(setting: Setting):
    assert len(await setting.texts("endless = |", invoked=True, budgetMs=50)) <= 1


async def test_what_accepting_leads_to_is_prepared(setting: Setting):
    engine = setting.engines[0]
    await setting.texts(FUNCTION)
    await reached(engine.begun)
    await reached(engine.begun)
    assert engine.prefilled == ["def add(first, second):\n    return first + second"]


async def test_until_the_model_is_there_only_who_asks_waits():
    setting = Setting()
    assert await setting.texts(FUNCTION) == []
    assert await setting.texts(FUNCTION, invoked=True) == ["return first + second"]


async def test_a_lost_engine_is_replaced_at_the_next_request(setting: Setting):
    with pytest.raises(QuickfillError, match="told to"):
        await setting.texts("crash = |")
    assert setting.host.state == "error"
    assert "started again with the next request" in setting.host.message
    assert await setting.texts(FUNCTION) == []
    await setting.host.client()
    assert await setting.texts(FUNCTION) == ["return first + second"]
    states = [state for state in setting.states if state != "working"]
    assert states[:5] == ["loading", "ready", "error", "loading", "ready"]
    assert [engine.closed.is_set() for engine in setting.engines] == [True, False]


async def test_an_engine_that_is_lost_again_and_again_waits_for_a_request_of_the_user(setting: Setting):
    for _ in range(3):
        with pytest.raises(QuickfillError):
            await setting.texts("crash = |", invoked=True)
    assert await setting.texts(FUNCTION) == []
    assert setting.host.state == "error"
    assert await setting.texts(FUNCTION, invoked=True) == ["return first + second"]


async def test_a_model_that_cannot_be_loaded_is_tried_again_when_asked():
    attempts = []

    def open_engine() -> ScriptedEngine:
        attempts.append(1)
        raise QuickfillError("no such folder")

    host = EngineHost(open_engine, lambda: None)
    asked = Suggester(host, Gate(), TypingSpeed())
    for invoked in (False, True, False, False, True):
        try:
            await asked.suggest(SuggestionQuery(cursor_at(FUNCTION), Settings(), invoked))
        except QuickfillError as error:
            assert str(error) == "no such folder"
    assert host.state == "error" and "no such folder" in host.message
    assert len(attempts) == 2


async def test_an_engine_closed_while_it_is_loaded_is_let_go():
    setting = Setting()
    loading = asyncio.create_task(setting.host.client())
    await asyncio.sleep(0)
    setting.host.close()
    engine = await loading
    assert isinstance(engine, ScriptedEngine)
    assert await asyncio.to_thread(engine.closed.wait, 20)
    assert setting.host.state == "loading"


async def test_where_the_cursor_rests_the_text_is_read_ahead(setting: Setting):
    engine = setting.engines[0]
    await setting.suggester.prepare(SuggestionQuery(cursor_at("first = 1\n|\nlast = 2\n"), Settings(), invoked=False))
    await reached(engine.begun)
    assert engine.prefilled == ["first = 1\n"]
    assert not engine.requests


async def test_nothing_is_read_ahead_where_nothing_is_suggested_unasked(setting: Setting):
    quiet = Settings.model_validate({"automatic": False})
    await setting.suggester.prepare(SuggestionQuery(cursor_at("x = |"), quiet, invoked=False))
    await asyncio.sleep(0)
    assert not setting.engines[0].prefilled
