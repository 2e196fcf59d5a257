"""`quickfill lsp` with its model behind `quickfill serve`, each a process of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from lsprotocol import types

from coder.api.completion import CompletionRequest, Decoding
from coder.engine.engine import Engine
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.onnx.runtime import OnnxRuntime
from tests.e2e.editor import PATIENCE, QUICKFILL, editor, inline_params
from tests.e2e.relay import relay
from tests.serve.in_process import HeldRuntime, serving
from tests.serve.running_server import RunningServer, running
from tests.tiny import write_tiny_checkpoint

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]

RUNNING = "quickfill_running"
TEXT = "def add(first, second):\n    \n\n\nprint(add(1, 2))\n"
LEFT = 'quickfill_requests_total{path="/quickfill/v1/complete",status="499"}'


def to(address: str) -> dict[str, object]:
    return {"serverUrl": address, "gate": 0, "budgetMs": 60_000, "alternatives": 1}


@asynccontextmanager
async def served(folder: Path, **environment: str) -> AsyncIterator[RunningServer]:
    """A server with the embedded model; the editor goes on meanwhile."""
    with ExitStack() as stack:
        yield await asyncio.to_thread(stack.enter_context, running("embedded", folder, **environment))


async def test_suggestions_come_from_the_server_and_come_back_with_it(tmp_path: Path):
    async with relay() as address, editor(tmp_path, QUICKFILL, to(address.url)) as session:
        session.open(TEXT)
        assert await session.texts((1, 4), invoked=True) == []
        assert (await session.status()).state == "error"
        assert len(session.errors) == 1 and f"the server at {address.url} does not answer" in session.errors[0]
        for _ in range(2):
            async with served(tmp_path) as server:
                address.target = server.address
                assert (await session.texts((1, 4), invoked=True))[0] == "return first + second"
                status = await session.rested()
                shown = (status.state, status.model, status.shared, status.processId)
                assert shown == ("ready", "quickfill", True, None)
                assert address.url in status.runtime.server
            session.change((4, 0), (4, 0), "# changed\n")
            assert await session.texts((1, 4), invoked=True) == []
            status = await session.status()
            assert status.state == "error" and "does not answer" in status.message


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine that runs no pass before it is allowed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    checkpoint = open_checkpoint(str(write_tiny_checkpoint(tmp_path / "tiny")))
    runtime = OnnxRuntime.load(checkpoint, threads=1)
    engine = Engine(runtime, checkpoint, "tiny")
    engine.complete(CompletionRequest("x = ", decoding=Decoding(max_tokens=1)))  # measures what passes cost
    monkeypatch.setattr(runtime, "__class__", HeldRuntime)
    monkeypatch.setattr(HeldRuntime, "allowed", threading.Semaphore(0))
    monkeypatch.setattr(HeldRuntime, "passes", 0)
    yield engine
    HeldRuntime.allowed.release(1000)
    engine.close()


async def test_a_cancelled_suggestion_ends_the_server_s_work_within_a_pass(tmp_path: Path, held: Engine):
    with serving(held) as server:
        async with editor(tmp_path, QUICKFILL, to(server.address)) as session:
            session.open(TEXT)
            params = inline_params((1, 4), invoked=True)
            asking = asyncio.ensure_future(
                session.client.protocol.send_request_async(types.TEXT_DOCUMENT_INLINE_COMPLETION, params, "held")
            )
            await eventually(server.address, RUNNING, 1.0)
            session.client.cancel_request(types.CancelParams("held"))
            with pytest.raises(Exception, match="cancel"):
                await asking
            await eventually(server.address, LEFT, 1.0)
            HeldRuntime.allowed.release(1000)
            await eventually(server.address, RUNNING, 0.0)
            assert HeldRuntime.passes <= 1
            assert (await session.rested()).state == "ready"
            assert session.errors == []


async def test_a_key_is_asked_for_and_told(tmp_path: Path):
    key = {"QUICKFILL_API_KEY": "secret"}
    async with served(tmp_path, **key) as server, editor(tmp_path, QUICKFILL, to(server.address)) as session:
        session.open(TEXT)
        assert await session.texts((1, 4), invoked=True) == []
        assert "apiKey or QUICKFILL_API_KEY" in session.errors[0]
        changed = types.DidChangeConfigurationParams({"quickfill": {"apiKey": "secret"}})
        session.client.workspace_did_change_configuration(changed)
        assert (await session.texts((1, 4), invoked=True))[0] == "return first + second"


async def eventually(address: str, name: str, count: float) -> None:
    """Wait until the server counts so many."""
    async with asyncio.timeout(PATIENCE), httpx.AsyncClient(trust_env=False) as client:
        while f"{name} {count}" not in (await client.get(f"{address}/metrics")).text.splitlines():
            pass
