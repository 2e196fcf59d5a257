"""Published models in the installed command and a real language server, found on a hub that is not there."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.editor import QUICKFILL, editor, span
from tests.families import write_family_checkpoint

REVISION = "0123456789abcdef0123456789abcdef01234567"
HUB_ID = "some-one/Dream-v0-Base-7B"


def write_hub_cache(home: Path, hub_id: str) -> Path:
    """A download of an earlier day, as huggingface_hub keeps one. Returns the snapshot."""
    repository = home / "hub" / f"models--{hub_id.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(REVISION)
    return write_family_checkpoint(repository / "snapshots" / REVISION, "dream")


def offline(home: Path) -> dict[str, str]:
    return os.environ | {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1"}


def test_a_hub_id_is_found_where_it_was_downloaded_to(tmp_path: Path):
    write_hub_cache(tmp_path / "home", HUB_ID)
    (tmp_path / "code.py").write_text("def add(first, second):\n    \n\nprint(1)\n")
    command = [*QUICKFILL[:-1], "complete", "code.py:2", "--json", "--max-tokens", "4", "--model", HUB_ID]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=offline(tmp_path / "home"), timeout=240, check=False
    )
    answer = json.loads(done.stdout)
    assert done.returncode in (0, 5), done.stderr
    assert answer["model"] == HUB_ID and answer["finish_reason"] == "end"


def test_without_a_network_it_says_what_to_do(tmp_path: Path):
    (tmp_path / "code.py").write_text("x = \n")
    command = [*QUICKFILL[:-1], "complete", "code.py:1", "--model", HUB_ID]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=offline(tmp_path / "home"), timeout=240, check=False
    )
    assert done.returncode == 3
    assert "was not downloaded before" in done.stderr and "a folder" in done.stderr
    assert done.stderr.count("\n") == 1, "no traceback"


@pytest.mark.slow
@pytest.mark.asyncio
@pytest.mark.parametrize("family", ["dream", "sdar"])
async def test_a_language_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: str):
    # On a machine with more to do, threads that wait for each other take many times as long.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    model = str(write_family_checkpoint(tmp_path / family, family)) + "?lengths=2,4"
    options = {"model": model, "gate": 0, "denoising": True, "alternatives": 1}
    async with editor(tmp_path, QUICKFILL, options) as session:
        await session.ready()
        status = await session.rested()
        assert (status.state, status.model, status.version) == ("ready", model, family)
        session.open("def add(first, second):\n    return\n")
        for item in await session.suggestions((1, 10), invoked=True):
            assert isinstance(item.insert_text, str) and "<|" not in item.insert_text
        params = {"textDocument": {"uri": "file:///a.py"}, "ranges": [span((0, 8), (0, 13)), span((1, 10), (1, 10))]}
        edit = await session.request("quickfill/fill", params)
        assert len(edit.documentChanges[0].edits) == 2
        assert not session.errors
        assert await session.leave() == 0
