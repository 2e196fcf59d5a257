"""Requests that share one engine: served fairly, in time, and no longer than anybody waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import aclosing

import pytest

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, Decoding
from coder.engine.engine import Engine
from coder.serve.http.refusals import QueueFullError, StoppingError, WaitedTooLongError
from coder.serve.service import MOST_UNREAD, EngineTurn, Service
from coder.serve.tasks import gathered
from tests.serve.running_server import PATIENCE
from tests.serve.work import Gate, all_of, service

ASK = CompletionRequest("def add(first, second):\n    ", decoding=Decoding(max_tokens=4, policy="autoregressive"))


def test_who_leaves_is_worked_for_no_longer(engine: Engine):
    """The engine learns of it before its next pass, and the next request has its turn."""
    passes = 0

    def work(turn: EngineTurn) -> Generator[CanvasUpdate | Completion, None, None]:
        nonlocal passes
        for event in turn.engine.stream(
            CompletionRequest("for index in", decoding=Decoding(max_tokens=200)), turn.cancelled
        ):
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
        return await asyncio.wait_for(shared.complete(ASK, "b"), PATIENCE)

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
            await shared.complete(ASK, "a")
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
            await shared.complete(CompletionRequest("x", decoding=Decoding(deadline_ms=20.0)), "b")
        gate.opened.set()
        await begun

    asyncio.run(run())


def test_a_deadline_ends_an_answer_with_what_there_is(engine: Engine):
    def work(turn: EngineTurn) -> Generator[float, None, None]:
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
            await shared.complete(ASK, "a")
        for gate in (first, second):
            gate.opened.set()
        assert await asyncio.gather(*tasks) == [["done"], ["done"]]

    asyncio.run(run())


def test_clients_take_turns(engine: Engine):
    """A client that asks once does not wait behind all that another one has asked for before."""
    gate, order = Gate(), []

    def work(name: str):
        def run(turn: EngineTurn) -> Generator[str, None, None]:
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

    def work(turn: EngineTurn) -> Generator[int, None, None]:
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
        await gathered([shared.complete(request, "a") for request in [ASK] * 8])
        while shared._running:
            await asyncio.sleep(0)
        return shared

    text = asyncio.run(run()).metrics.text().decode()
    assert "quickfill_waiting 0.0" in text
    assert "quickfill_running 0.0" in text
    assert 'quickfill_tokens_total{kind="written"}' in text
