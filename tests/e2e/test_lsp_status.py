"""What the server says of itself: the model's abilities, and the workspace's index."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.editor import QUICKFILL, editor
from tests.tiny import write_tiny_checkpoint

pytestmark = pytest.mark.asyncio


async def test_the_status_tells_abilities_and_settings(tmp_path: Path):
    async with editor(tmp_path, options={"nextEdit": True}) as session:
        await session.ready()
        status = await session.status()
        assert (status.abilities.edits, status.abilities.rewrites) == (True, True)
        assert (status.nextEdit, status.indexes) == (True, [])


async def test_each_folder_of_a_workspace_that_is_trusted_is_indexed(tmp_path: Path):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "module.py").write_text("value = 1\n" * 10, encoding="utf-8")
    folder = (tmp_path / "code").as_uri()
    options = {"model": str(write_tiny_checkpoint(tmp_path / "tiny")), "runtime": "onnx"}
    async with editor(tmp_path, QUICKFILL, options, workspace=[folder]) as session:
        await session.ready()
        while not (index := (await session.status()).indexes[0]).files:
            pass  # it is built in the background; every request is answered meanwhile
        assert (index.files, index.complete, Path(index.folder).name) == (1, True, "code")
        assert index.bytes > 0 and index.ageSeconds >= 0


@pytest.mark.parametrize("options", [{"index": False}, {"trust": False}])
async def test_a_workspace_that_is_not_to_be_read_is_not_indexed(tmp_path: Path, options):
    async with editor(tmp_path, options=options, workspace=[tmp_path.as_uri()]) as session:
        await session.ready()
        assert (await session.status()).indexes == []
