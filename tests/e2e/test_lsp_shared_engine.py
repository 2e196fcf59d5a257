"""One engine for all windows of a user, and what they see of it."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.editor import QUICKFILL, editor
from tests.tiny import write_tiny_checkpoint

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]

TEXT = "def add(first, second):\n    return\n"


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short path, since that of a socket is limited; closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="quickfill-"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    yield folder
    shutil.rmtree(folder)


async def test_windows_share_an_engine_and_survive_its_death(folder: Path):
    options = {"model": str(write_tiny_checkpoint(folder / "tiny")), "runtime": "onnx", "engine": "shared", "gate": 0}
    async with editor(folder, QUICKFILL, options) as first, editor(folder, QUICKFILL, options) as second:
        await first.ready()
        await second.ready()
        engine = (await first.status()).processId
        assert (await second.status()).processId == engine
        assert (await first.status()).shared
        os.kill(engine, signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
        for session in (first, second):
            session.open(TEXT)
            await session.suggestions((1, 10), invoked=True)
            await session.suggestions((1, 10), invoked=True)
            status = await session.rested()
            assert status.state == "ready" and status.processId != engine
            assert len(session.errors) == 1 and "the engine stopped" in session.errors[0]
        assert (await first.status()).processId == (await second.status()).processId
        os.kill((await first.status()).processId, signal.SIGTERM)
