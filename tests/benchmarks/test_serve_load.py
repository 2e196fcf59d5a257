"""The load benchmark asks a real server, finds every answer right, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks.serve_load import measure
from tests.tiny import write_tiny_checkpoint


@pytest.mark.slow
def test_every_answer_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    model = str(write_tiny_checkpoint(tmp_path / "tiny"))
    figures = asyncio.run(measure(model, "onnx", clients=8, seconds=2.0, together=4, progress=lambda _: None))
    assert figures["answers"]
    assert figures["wrong_answers"] == 0
    assert figures["connections_afterwards"] == 0
