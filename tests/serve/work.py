"""A service of its own for a test, and work that the test holds up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator

from coder.engine.engine import Engine
from coder.serve.service import EngineTurn, Service
from coder.serve.settings import ServeSettings
from tests.serve.running_server import PATIENCE


def service(engine: Engine, **more) -> Service:
    return Service(engine, ServeSettings(**more))


class Gate:
    """Work that has begun and waits to be let go on."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.opened = threading.Event()

    def work(self, turn: EngineTurn) -> Generator[str, None, None]:
        self.begun.set()
        assert self.opened.wait(PATIENCE)
        yield "done"

    async def has_begun(self) -> None:
        assert await asyncio.to_thread(self.begun.wait, PATIENCE)


async def all_of(events: AsyncGenerator) -> list:
    return [event async for event in events]
