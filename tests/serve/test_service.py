"""Requests that share one engine: answered as if alone, fairly, in time, and no longer than anybody waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coder.completion import CanvasUpdate, Completion, CompletionRequest, Template
from coder.edits import Filled, FillRequest, RepairRequest
from coder.engine import Engine
from coder.errors import InputError
from coder.model.checkpoint import open_checkpoint
from coder.model.onnx_runtime import OnnxRuntime
from coder.serve.refusals import QueueFullError, StoppingError, WaitedTooLongError
from coder.serve.service import MOST_UNREAD, Service, Turn
from coder.serve.settings import ServeSettings
from coder.serve.tasks import gathered

TEXT = "def add(first, second):\n    return first + second\n\n\nfor index in range(10):\n    print(index)\n"
PATIENCE = 120.0

REQUESTS = [
    CompletionRequest(TEXT[:cut], TEXT[cut + 3 :], policy=policy, canvas_size=size, max_tokens=10, **more)
    for cut, policy, size, more in [
        (10, "threshold:0.5", 8, {}),
        (30, "verified", 4, {}),
        (55, "autoregressive", None, {"temperature": 0.8, "seed": 3}),
        (55, "factor", 4, {"temperature": 0.8, "seed": 4, "top_p": 0.9}),
        (56, "lookup", None, {}),
        (56, "lookup", None, {"samples": 2, "seed": 0}),
        (0, "entropy", 4, {}),
        (56, "threshold:0.3", 8, {"template": Template.parse("sum(‹›, key=‹›)", "‹›")}),
    ]
]


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


def service(engine: Engine, **more) -> Service:
    return Service(engine, ServeSettings(**more))


def same(answer: Completion, expected: Completion) -> bool:
    others = [other.text for other in answer.alternatives] == [other.text for other in expected.alternatives]
    facts = answer.text, answer.finish_reason, answer.passes, answer.tokens
    return others and facts == (expected.text, expected.finish_reason, expected.passes, expected.tokens)


class Gate:
    """Work that has begun and waits to be let go on."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.opened = threading.Event()

    def work(self, turn: Turn) -> Generator[str, None, None]:
        self.begun.set()
        assert self.opened.wait(PATIENCE)
        yield "done"

    async def has_begun(self) -> None:
        assert await asyncio.to_thread(self.begun.wait, PATIENCE)


async def all_of(events: AsyncGenerator) -> list:
    return [event async for event in events]


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
    fill = FillRequest(("def f(", "):\n    return ", "\n"), max_tokens=6)
    repair = RepairRequest("def f(:\n    return 1\n", path="a.py", policy="autoregressive")
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
        wrong = shared.complete(CompletionRequest("x", policy="best"), "a")
        return await asyncio.gather(wrong, shared.complete(REQUESTS[0], "b"), return_exceptions=True)

    error, answer = asyncio.run(run())
    assert isinstance(error, InputError)
    assert isinstance(answer, Completion) and same(answer, alone[0])


def test_who_leaves_is_worked_for_no_longer(engine: Engine):
    """The engine learns of it before its next pass, and the next request has its turn."""
    passes = 0

    def work(turn: Turn) -> Generator[CanvasUpdate | Completion, None, None]:
        nonlocal passes
        for event in turn.engine.stream(CompletionRequest(TEXT, max_tokens=200), turn.cancelled):
            passes += isinstance(event, CanvasUpdate)
            if passes == 3:
                noticed.set()
                assert left.wait(PATIENCE)
            yield event

    noticed, left = threading.Event(), threading.Event()

    async def run() -> Completion:
        shared = service(engine, together=1)
        async with aclosing(shared.run(work, "a")) as events:
            await anext(events)
            await asyncio.to_thread(noticed.wait, PATIENCE)
        left.set()
        return await asyncio.wait_for(shared.complete(REQUESTS[0], "b"), PATIENCE)

    assert isinstance(asyncio.run(run()), Completion)
    assert passes == 3


def test_who_leaves_while_waiting_is_never_begun(engine: Engine):
    first, second, third = Gate(), Gate(), Gate()

    async def run() -> None:
        shared = service(engine, together=1)
        tasks = [asyncio.create_task(all_of(shared.run(gate.work, "a"))) for gate in (first, second, third)]
        await first.has_begun()
        tasks[1].cancel()
        await asyncio.gather(tasks[1], return_exceptions=True)
        third.opened.set()
        first.opened.set()
        await asyncio.gather(tasks[0], tasks[2])

    asyncio.run(run())
    assert third.begun.is_set() and not second.begun.is_set()


def test_a_full_queue_refuses_and_says_when_to_come_again(engine: Engine):
    gate, waiting = Gate(), Gate()

    async def run() -> QueueFullError:
        shared = service(engine, together=1, queue=1)
        begun = asyncio.create_task(all_of(shared.run(gate.work, "a")))
        await gate.has_begun()
        queued = asyncio.create_task(all_of(shared.run(waiting.work, "a")))
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError) as refused:
            await shared.complete(REQUESTS[0], "a")
        for one in (gate, waiting):
            one.opened.set()
        assert await begun == await queued == ["done"]
        return refused.value

    assert (asyncio.run(run()).retry_after or 0) >= 1


def test_a_request_whose_turn_does_not_come_in_time_is_refused(engine: Engine):
    gate = Gate()

    async def run() -> None:
        shared = service(engine, together=1)
        begun = asyncio.create_task(all_of(shared.run(gate.work, "a")))
        await gate.has_begun()
        with pytest.raises(WaitedTooLongError):
            await shared.complete(CompletionRequest("x", deadline_ms=20.0), "b")
        gate.opened.set()
        await begun

    asyncio.run(run())


def test_a_deadline_ends_an_answer_with_what_there_is(engine: Engine):
    def work(turn: Turn) -> Generator[float, None, None]:
        yield turn.deadline_ms

    async def run() -> None:
        shared = service(engine, timeout=5.0)
        assert 0.0 <= (await all_of(shared.run(work, "a", 3000.0)))[0] <= 3000.0
        assert (await all_of(shared.run(work, "a", 60000.0)))[0] <= 5000.0

    asyncio.run(run())


def test_a_stopping_server_finishes_what_waits_and_takes_no_more(engine: Engine):
    first, second = Gate(), Gate()

    async def run() -> None:
        shared = service(engine, together=1)
        tasks = [asyncio.create_task(all_of(shared.run(gate.work, "a"))) for gate in (first, second)]
        await first.has_begun()
        shared.stopping = True
        with pytest.raises(StoppingError):
            await shared.complete(REQUESTS[0], "a")
        for gate in (first, second):
            gate.opened.set()
        assert await asyncio.gather(*tasks) == [["done"], ["done"]]

    asyncio.run(run())


def test_clients_take_turns(engine: Engine):
    """A client that asks once does not wait behind all that another one has asked for before."""
    gate, order = Gate(), []

    def work(name: str):
        def run(turn: Turn) -> Generator[str, None, None]:
            order.append(name)
            yield name

        return run

    async def run() -> None:
        shared = service(engine, together=1)
        tasks = [asyncio.create_task(all_of(shared.run(gate.work, "busy")))]
        await gate.has_begun()
        for client in ("busy", "busy", "busy", "seldom"):
            tasks.append(asyncio.create_task(all_of(shared.run(work(client), client))))
            await asyncio.sleep(0)
        gate.opened.set()
        await asyncio.gather(*tasks)

    asyncio.run(run())
    assert order == ["busy", "seldom", "busy", "busy"]


def test_a_reader_that_does_not_read_holds_nobody_up_and_little_in_memory(engine: Engine):
    done = threading.Event()

    def work(turn: Turn) -> Generator[int, None, None]:
        yield from range(100_000)
        done.set()

    async def run() -> list[int]:
        shared = service(engine)
        events = shared.run(work, "a")
        first = await anext(events)
        await asyncio.to_thread(done.wait, PATIENCE)
        return [first, *await all_of(events)]

    seen = asyncio.run(run())
    assert seen[-1] == 99_999
    assert seen == sorted(seen)
    assert len(seen) <= 2 * MOST_UNREAD


def test_the_metrics_come_back_to_rest(engine: Engine):
    async def run() -> Service:
        shared = service(engine, together=2)
        await gathered([shared.complete(request, "a") for request in REQUESTS])
        while shared._running:
            await asyncio.sleep(0)
        return shared

    text = asyncio.run(run()).metrics.text().decode()
    assert "quickfill_waiting 0.0" in text
    assert "quickfill_running 0.0" in text
    assert 'quickfill_tokens_total{kind="written"}' in text
