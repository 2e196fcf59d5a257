"""What a client of a shared engine can ask, and what it shares with others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, Decoding, Where
from coder.api.text_engine import TextEngine
from coder.api.text_requests import Edited, EditRequest, Filled, FillRequest, HoleUpdate, RegionUpdate
from coder.engine.engine import Engine
from coder.errors import InputError
from lsp.engine.errors import EngineLostError
from lsp.engine.shared.client import SharedEngine
from lsp.engine.shared.identity import EngineIdentity
from tests.lsp.engine.shared.conftest import Opener

REQUEST = CompletionRequest(
    "def add(first, second):\n    ", "\n\nclass Point:\n", decoding=Decoding(policy="autoregressive", max_tokens=9)
)
LONG = CompletionRequest("for index in range(10):\n", decoding=Decoding(policy="autoregressive", max_tokens=400))


@pytest.fixture
def client(opened: Opener) -> SharedEngine:
    return opened()


@pytest.fixture(scope="module")
def engine(identity: EngineIdentity) -> Iterator[Engine]:
    """The same model in this process."""
    engine = Engine.load(identity.model, runtime="onnx")
    yield engine
    engine.close()


def test_it_is_a_text_engine(client: SharedEngine):
    any_engine: TextEngine = client
    assert any_engine.status().shared


def test_two_clients_share_one_engine(opened: Opener):
    first, second = opened(), opened()
    assert first.status() == second.status()
    with ThreadPoolExecutor() as pool:
        texts = {
            future.result().text for future in [pool.submit(client.complete, REQUEST) for client in (first, second)]
        }
    assert len(texts) == 1


def test_the_answer_is_that_of_an_engine_of_ones_own(client: SharedEngine, engine: Engine):
    assert client.complete(REQUEST).text == engine.complete(REQUEST).text


def test_a_stream_is_updates_and_then_one_completion(client: SharedEngine, engine: Engine):
    *updates, completion = client.stream(REQUEST)
    assert isinstance(completion, Completion)
    settled = [update.settled for update in updates if isinstance(update, CanvasUpdate)]
    assert len(settled) == len(updates) > 1
    assert settled == [event.settled for event in engine.stream(REQUEST) if isinstance(event, CanvasUpdate)]


def test_a_fill_is_updates_of_holes_and_then_the_answers(client: SharedEngine, engine: Engine):
    request = FillRequest(("a = ", "\nb = ", "\n"), decoding=Decoding(policy="autoregressive", max_tokens=6))
    *updates, filled = client.stream_fill(request)
    assert isinstance(filled, Filled)
    assert {update.hole for update in updates if isinstance(update, HoleUpdate)} == {0, 1}
    assert filled.text == engine.fill(request).text


def test_a_rewrite_is_updates_of_its_region_and_then_the_text(client: SharedEngine, engine: Engine):
    request = EditRequest(
        "def one():\n    pass\n",
        15,
        19,
        "one",
        where=Where(language="python"),
        decoding=Decoding(policy="autoregressive"),
    )
    *updates, edited = client.stream_edit(request)
    assert isinstance(edited, Edited)
    assert {(update.start, update.end) for update in updates if isinstance(update, RegionUpdate)} == {(15, 19)}
    assert edited.text == engine.edit(request).text


def test_a_rewrite_that_is_cancelled_is_answered_with_the_text_as_it_was(client: SharedEngine):
    cancelled = threading.Event()
    cancelled.set()
    *_, edited = client.stream_edit(EditRequest("pass\n", 0, 4, where=Where(language="python")), cancelled)
    assert isinstance(edited, Edited) and edited.text == "pass\n"


def test_an_index_is_the_same_for_every_client(opened: Opener, tmp_path: Path):
    (tmp_path / "module.py").write_text("value = 1\n" * 10, encoding="utf-8")
    first, second = opened(), opened()
    while (state := first.index_state(str(tmp_path))).building or not state.files:
        pass  # it is built in the background; the engine answers in between
    seen = second.index_state(str(tmp_path))
    assert (seen.files, seen.words, seen.complete) == (1, state.words, True)
    assert seen.age_seconds is not None and seen.age_seconds >= 0.0


def test_several_samples_come_with_their_statistics(client: SharedEngine, engine: Engine):
    request = CompletionRequest("x = ", samples=3, decoding=Decoding(seed=5, max_tokens=8, policy="autoregressive"))
    ours, theirs = client.complete(request), engine.complete(request)
    assert [other.text for other in ours.alternatives] == [other.text for other in theirs.alternatives]
    assert ours.statistics.tokens == theirs.statistics.tokens


def test_a_score_is_the_same(client: SharedEngine, engine: Engine):
    texts = ("def add(a, b):\n    return ", "\n", "a + b")
    assert client.score(*texts) == engine.score(*texts)


def test_what_was_prefilled_is_there_for_every_client(opened: Opener):
    request = CompletionRequest(
        "ahead = 1\n" * 9, "\nbehind = 2\n", decoding=Decoding(policy="autoregressive", max_tokens=2)
    )
    assert opened().prefill(request)
    assert opened().complete(request).statistics.prefill_passes == 0


def test_a_setting_that_cannot_be_used_is_an_input_error_and_no_more(client: SharedEngine):
    with pytest.raises(InputError, match="samples must be at least 1"):
        client.complete(CompletionRequest("x", samples=0))
    with pytest.raises(InputError, match="character"):
        client.complete(CompletionRequest("half of a pair: \ud83d"))
    assert client.complete(REQUEST).text


def test_who_cancels_is_answered_and_the_engine_is_free(client: SharedEngine):
    cancelled = threading.Event()
    events = client.stream(LONG, cancelled)
    next(events)
    cancelled.set()
    *_, last = events
    assert isinstance(last, Completion)
    assert last.finish_reason == "cancelled"
    assert client.complete(REQUEST).finish_reason != "cancelled"


def test_leaving_a_stream_early_cancels_it(client: SharedEngine):
    events = client.stream(LONG)
    next(events)
    events.close()
    assert client.complete(REQUEST).text


def test_a_client_never_ends_the_requests_of_another(opened: Opener):
    first = opened().stream(LONG)
    next(first)
    opened().complete(REQUEST)
    *_, last = first
    assert isinstance(last, Completion)
    assert last.finish_reason != "cancelled"


def test_a_deadline_travels_with_its_request(client: SharedEngine):
    completion = client.complete(
        CompletionRequest(LONG.prefix, decoding=Decoding(max_tokens=400, policy="autoregressive", deadline_ms=1))
    )
    assert completion.finish_reason == "deadline"


def test_what_is_under_way_when_a_client_hangs_up_ends_as_cancelled(client: SharedEngine):
    events = client.stream(LONG)
    next(events)
    client.close()
    *_, last = events
    assert isinstance(last, Completion)
    assert last.finish_reason == "cancelled"
    with pytest.raises(EngineLostError):
        client.complete(REQUEST)
