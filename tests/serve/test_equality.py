"""Requests that share one engine are answered as if each were alone, whenever they come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coder.api.completion import Completion, CompletionRequest, Decoding, Where
from coder.api.text_requests import Filled, FillRequest, RepairRequest
from coder.engine.engine import Engine
from coder.errors import InputError
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.onnx.runtime import OnnxRuntime
from coder.serve.tasks import gathered
from tests.request_kinds import TEXT, requests_of_every_kind
from tests.serve.running_server import PATIENCE
from tests.serve.work import service

REQUESTS = requests_of_every_kind(max_tokens=10)


@pytest.fixture(scope="module")
def engine(checkpoint: Path) -> Iterator[Engine]:
    """In int8, where the rows of a pass do not know of each other, so that not even ties are decided differently."""
    opened = open_checkpoint(str(checkpoint))
    engine = Engine(OnnxRuntime.load(opened, threads=1, weight_bits=8), opened, "tiny")
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def alone(engine: Engine) -> list[Completion]:
    return [engine.complete(request) for request in REQUESTS]


def same(answer: Completion, expected: Completion) -> bool:
    others = [other.text for other in answer.alternatives] == [other.text for other in expected.alternatives]
    facts = answer.text, answer.finish_reason, answer.passes, answer.tokens
    return others and facts == (expected.text, expected.finish_reason, expected.passes, expected.tokens)


@settings(max_examples=25)
@given(st.data())
def test_requests_that_join_and_leave_at_any_time_are_answered_as_if_alone(
    engine: Engine, alone: list[Completion], data: st.DataObject
):
    """Each request arrives when so many events of the others have been seen; some leave after so many of their own."""
    order = data.draw(st.lists(st.integers(0, len(REQUESTS) - 1), min_size=2, max_size=10))
    arrivals = [data.draw(st.integers(0, 8)) for _ in order]
    leaving = [data.draw(st.none() | st.integers(1, 6)) for _ in order]
    together = data.draw(st.integers(1, 5))

    async def run() -> list[Completion | None]:
        shared = service(engine, together=together)
        seen, changed, running = 0, asyncio.Condition(), 0

        async def notice(events: int, leaves: int = 0) -> None:
            nonlocal seen, running
            async with changed:
                seen, running = seen + events, running - leaves
                changed.notify_all()

        async def ask(request: CompletionRequest, leaves_after: int | None) -> Completion | None:
            count, answer = 0, None
            async with aclosing(shared.stream(request, f"client {count % 2}")) as events:
                async for event in events:
                    count += 1
                    await notice(1)
                    if isinstance(event, Completion):
                        answer = event
                    elif count == leaves_after:
                        break
            await notice(0, leaves=1)
            return answer

        async def wait_for_events(count: int) -> None:
            nonlocal running
            async with changed:
                due = seen + count
                await changed.wait_for(lambda: seen >= due or not running)
                running += 1

        tasks = []
        for index, after, leaves in zip(order, arrivals, leaving, strict=True):
            await wait_for_events(after)
            tasks.append(asyncio.create_task(ask(REQUESTS[index], leaves)))
        return await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE)

    for index, answer in zip(order, asyncio.run(run()), strict=True):
        assert answer is None or same(answer, alone[index])


def test_all_kinds_of_work_share_the_engine(engine: Engine, alone: list[Completion]):
    fill = FillRequest(("def f(", "):\n    return ", "\n"), decoding=Decoding(max_tokens=6))
    repair = RepairRequest(
        "def f(:\n    return 1\n", where=Where(path="a.py"), decoding=Decoding(policy="autoregressive")
    )
    expected = engine.fill(fill), engine.repair(repair), engine.score_tokens(TEXT, "", "x = 1")

    async def run():
        shared = service(engine, together=4)
        texts = gathered([shared.complete(request, "editor") for request in REQUESTS])
        filled, repaired = shared.fill(fill, "script"), shared.repair(repair, "script")
        return await asyncio.gather(texts, filled, repaired, shared.score_tokens(TEXT, "", "x = 1", "script"))

    texts, filled, repaired, scores = asyncio.run(run())
    assert all(map(same, texts, alone))
    assert isinstance(filled, Filled)
    assert (filled.text, repaired.text) == (expected[0].text, expected[1].text)
    assert [score.log_probability for score in scores] == pytest.approx(
        [score.log_probability for score in expected[2]], abs=1e-3
    )


def test_an_error_is_its_own_requests_alone(engine: Engine, alone: list[Completion]):
    async def run():
        shared = service(engine)
        wrong = shared.complete(CompletionRequest("x", decoding=Decoding(policy="best")), "a")
        return await asyncio.gather(wrong, shared.complete(REQUESTS[0], "b"), return_exceptions=True)

    error, answer = asyncio.run(run())
    assert isinstance(error, InputError)
    assert isinstance(answer, Completion) and same(answer, alone[0])
