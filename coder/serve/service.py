"""From many clients to one engine: requests wait fairly, several are worked on together, each in a thread of its own
that takes turns with the others (`coder.engine.batching`); their events come back to the event loop.

Everything here but `_work` runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing, suppress
from typing import Any, Generic, TypeVar

from coder.api.completion import Completion, CompletionRequest, EngineEvent, TokenScore
from coder.api.streams import AnyOf
from coder.api.text_requests import Edited, EditRequest, Filled, FillEvent, FillRequest, RepairRequest, redecoded
from coder.diffusion.events import Stopped, TimeLimits
from coder.model.checkpoint.opening import EMBEDDED
from coder.serve.fair_line import FairLine
from coder.serve.http.refusals import ComputedTooLongError, QueueFullError, StoppingError, WaitedTooLongError
from coder.serve.metrics import Metrics
from coder.serve.served_engine import ServedEngine
from coder.serve.settings import ServeSettings
from coder.serve.tasks import last

log = logging.getLogger(__name__)

MOST_UNREAD = 64
"""Events that wait for a slow reader; each later one takes the place of the last, since events are snapshots."""

Event = TypeVar("Event")
Answer = TypeVar("Answer")


class EngineTurn:
    """A request's turn at the engine.

    Attributes:
        cancelled: is set when nobody waits any more.
        limits: the request's.
    """

    def __init__(self, engine: ServedEngine, cancelled: threading.Event, deadline: float) -> None:
        self.engine = engine
        self.cancelled = cancelled
        self.limits = TimeLimits(deadline, cancelled.is_set)

    @property
    def deadline_ms(self) -> float:
        """Return the milliseconds that are left to the request."""
        return max(0.0, 1000.0 * (self.limits.deadline - time.monotonic()))


Work = Callable[[EngineTurn], Generator[Event, None, None]]
"""The work of a request, done in its turn: a generator of events, the last one being its answer."""


class Ticket(Generic[Event]):
    """A request in the queue: it waits, is begun, yields events, ends.

    Args:
        deadline: on the clock of `time.monotonic`.
    """

    def __init__(self, work: Work[Event], client: str, deadline: float) -> None:
        self.work = work
        self.client = client
        self.deadline = deadline
        self.came = time.monotonic()
        self.cancelled = threading.Event()
        self.begun = False
        self._events: deque[Event] = deque()
        self._error: BaseException | None = None
        self._ended = False
        self._changed = asyncio.Event()

    def begin(self) -> None:
        self.begun = True
        self._changed.set()

    def put(self, event: Event) -> None:
        if len(self._events) >= MOST_UNREAD:
            self._events.pop()
        self._events.append(event)
        self._changed.set()

    def end(self, error: BaseException | None = None) -> None:
        """No more events come. Only the first call counts."""
        if not self._ended:
            self._ended, self._error = True, error
            self._changed.set()

    async def events(self, retry_after: Callable[[], int]) -> AsyncGenerator[Event, None]:
        """Yield the events of the work. Raises its error, or WaitedTooLongError when it is not begun by the
        deadline."""
        try:
            async with asyncio.timeout(max(0.0, self.deadline - time.monotonic())):
                while not (self.begun or self._ended):
                    await self._change()
        except TimeoutError:
            raise WaitedTooLongError(retry_after()) from None
        while True:
            while self._events:
                yield self._events.popleft()
            if self._ended:
                break
            await self._change()
        if self._error is not None:
            raise self._error

    async def _change(self) -> None:
        await self._changed.wait()
        self._changed.clear()


class Service:
    """The service behind all API families. Its methods raise `RefusedError`s, and `InputError` for what the engine
    cannot do.

    `client` names who asks, for the sake of fairness alone.
    """

    def __init__(self, engine: ServedEngine, settings: ServeSettings, metrics: Metrics | None = None) -> None:
        self.engine = engine
        self.settings = settings
        self.metrics = metrics or Metrics()
        self.model = "quickfill" if engine.model_name == EMBEDDED else engine.model_name.rstrip("/").rpartition("/")[2]
        self.started = int(time.time())
        self.stopping = False
        self._line: FairLine[Ticket[Any]] = FairLine(settings.queue)
        self._running = 0
        self._seconds = 1.0
        """The duration of a request once it is begun: a moving average."""

    async def stream(
        self, request: CompletionRequest, client: str, enough: threading.Event | None = None
    ) -> AsyncGenerator[EngineEvent, None]:
        """Canvas updates, then the completion. Leaving the iterator cancels the request; so it is with the others.

        Args:
            enough: set it to have the completion as far as it is.
        """

        def work(turn: EngineTurn) -> Generator[EngineEvent, None, None]:
            cancelled = AnyOf(turn.cancelled, enough or turn.cancelled)
            return turn.engine.stream(redecoded(request, deadline_ms=turn.deadline_ms), cancelled)

        async with aclosing(self.run(work, client, request.decoding.deadline_ms)) as events:
            async for event in events:
                if isinstance(event, Completion):
                    self.metrics.count(event.statistics)
                yield event

    async def complete(self, request: CompletionRequest, client: str) -> Completion:
        return await last(self.stream(request, client), Completion)

    async def stream_fill(self, request: FillRequest, client: str) -> AsyncGenerator[FillEvent, None]:
        def work(turn: EngineTurn) -> Generator[FillEvent, None, None]:
            return turn.engine.stream_fill(redecoded(request, deadline_ms=turn.deadline_ms), turn.cancelled)

        async with aclosing(self.run(work, client, request.decoding.deadline_ms)) as events:
            async for event in events:
                yield event

    async def fill(self, request: FillRequest, client: str) -> Filled:
        return await last(self.stream_fill(request, client), Filled)

    async def edit(self, request: EditRequest, client: str) -> Edited:
        def work(turn: EngineTurn) -> Edited:
            return turn.engine.edit(redecoded(request, deadline_ms=turn.deadline_ms), turn.cancelled)

        return await self.call(work, client, request.decoding.deadline_ms)

    async def repair(self, request: RepairRequest, client: str) -> Edited:
        def work(turn: EngineTurn) -> Edited:
            return turn.engine.repair(redecoded(request, deadline_ms=turn.deadline_ms), turn.cancelled)

        return await self.call(work, client, request.decoding.deadline_ms)

    async def score_tokens(self, prefix: str, suffix: str, text: str, client: str) -> tuple[TokenScore, ...]:
        return await self.call(lambda turn: turn.engine.score_tokens(prefix, suffix, text, turn.limits), client)

    async def call(
        self, function: Callable[[EngineTurn], Answer], client: str, deadline_ms: float | None = None
    ) -> Answer:
        """Return the result of a function of a turn at the engine."""

        def work(turn: EngineTurn) -> Generator[Answer, None, None]:
            yield function(turn)

        return await last(self.run(work, client, deadline_ms), object)  # pyright: ignore[reportReturnType]

    async def run(
        self, work: Work[Event], client: str, deadline_ms: float | None = None
    ) -> AsyncGenerator[Event, None]:
        """The events of some work at the engine, when its turn comes. Leaving the iterator cancels it.

        Raises:
            QueueFullError, StoppingError, WaitedTooLongError: at the first event.
        """
        seconds = self.settings.timeout if deadline_ms is None else min(deadline_ms / 1000.0, self.settings.timeout)
        ticket = Ticket(work, client, time.monotonic() + seconds)
        self._enter(ticket)
        try:
            async with aclosing(ticket.events(self._retry_after)) as events:
                async for event in events:
                    yield event
        finally:
            ticket.cancelled.set()
            self._line.remove(ticket.client, ticket)
            self._observe()

    def _enter(self, ticket: Ticket[Any]) -> None:
        if self.stopping:
            raise StoppingError
        if self._running < self.settings.together:
            self._begin(ticket)
        elif (displaced := self._line.push(ticket.client, ticket)) is not None:
            displaced.end(QueueFullError(self._retry_after()))
        self._observe()

    def _begin(self, ticket: Ticket[Any]) -> None:
        self._running += 1
        self.metrics.waited.observe(time.monotonic() - ticket.came)
        ticket.begin()
        # A key-value cache belongs to the thread that uses it until it ends, so each request has a thread of its own.
        arguments = ticket, asyncio.get_running_loop()
        threading.Thread(target=self._work, args=arguments, name="quickfill-request", daemon=True).start()

    def _work(self, ticket: Ticket[Any], loop: asyncio.AbstractEventLoop) -> None:
        def tell(function: Callable[..., object], *arguments: object) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody is there any more
                loop.call_soon_threadsafe(function, *arguments)

        began, error = time.monotonic(), None
        try:
            turn = EngineTurn(self.engine, ticket.cancelled, ticket.deadline)
            with self.engine.joined(), closing(ticket.work(turn)) as events:
                for event in events:
                    tell(ticket.put, event)
        except Stopped:
            error = ComputedTooLongError()
        except BaseException as caught:
            error = caught
        tell(self._ended, ticket, time.monotonic() - began, error)

    def _ended(self, ticket: Ticket[Any], seconds: float, error: BaseException | None) -> None:
        ticket.end(error)
        self._running -= 1
        self._seconds += 0.1 * (seconds - self._seconds)
        if (following := self._line.pop()) is not None:
            self._begin(following)
        self._observe()

    def _retry_after(self) -> int:
        """Return the estimated seconds until the requests that wait now are done."""
        return max(1, math.ceil(self._seconds * (len(self._line) + 1) / self.settings.together))

    def _observe(self) -> None:
        self.metrics.waiting.set(len(self._line))
        self.metrics.running.set(self._running)
