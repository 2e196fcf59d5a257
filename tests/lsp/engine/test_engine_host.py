"""An engine behind a server that goes away and comes back, as the host sees it."""

from __future__ import annotations

import asyncio
from typing import NoReturn

import pytest

from coder.api.text_engine import TextEngine
from lsp.engine import engine_host
from lsp.engine.engine_host import EngineHost
from lsp.engine.errors import EngineRefusedError, ServerLostError
from tests.lsp.scripted import ScriptedEngine

pytestmark = pytest.mark.asyncio

LOST = ServerLostError("the server at http://localhost:1 does not answer: refused")


class Opener:
    """A server that is there, or not."""

    def __init__(self, there: bool) -> None:
        self.there = there
        self.asked = 0

    def __call__(self) -> TextEngine:
        self.asked += 1
        if not self.there:
            raise LOST
        return ScriptedEngine()


async def settled(host: EngineHost) -> None:
    while host.state == "loading":
        await asyncio.sleep(0)


async def test_a_server_that_is_not_there_is_asked_again_but_not_with_every_key(monkeypatch: pytest.MonkeyPatch):
    opener = Opener(there=False)
    host = EngineHost(opener, lambda: None)
    with pytest.raises(ServerLostError):
        await host.client()
    assert (host.state, host.message) == ("error", f"{LOST}; it is tried again while you work")
    for _ in range(5):
        host.recover()
    assert opener.asked == 1
    monkeypatch.setattr(engine_host, "RETRY_SECONDS", 0.0)
    with pytest.raises(ServerLostError):
        await host.client()
    opener.there = True
    host.recover()
    await settled(host)
    assert (host.state, opener.asked) == ("ready", 3)


async def test_a_server_that_goes_away_is_an_error_and_may_come_back():
    opener = Opener(there=True)
    host = EngineHost(opener, lambda: None)
    await host.client()

    def lose() -> NoReturn:
        with host.working():
            raise LOST

    for _ in range(5):
        with pytest.raises(ServerLostError):
            lose()
        assert host.state == "error" and str(LOST) in host.message
        await host.client()
        assert host.state == "ready"


async def test_a_request_that_is_refused_costs_no_engine():
    opener = Opener(there=True)
    host = EngineHost(opener, lambda: None)
    await host.client()
    with pytest.raises(EngineRefusedError), host.working():
        raise EngineRefusedError("too many wait")
    assert (host.state, opener.asked) == ("ready", 1)
