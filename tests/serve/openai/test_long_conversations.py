"""A conversation that cannot be read in its time is refused: an empty turn would look like an answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from coder.engine.engine import Engine
from coder.model.onnx.runtime import OnnxRuntime
from coder.model.runtime import Cache, Pass, Predictions
from tests.serve.in_process import serving
from tests.tiny import write_tiny_checkpoint

LONG = {"messages": [{"role": "user", "content": "words of many lines " * 15}], "max_tokens": 4}
SHORT = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 4}


class SlowRuntime(OnnxRuntime):
    def forward(self, cache: Cache, request: Pass) -> Predictions:
        time.sleep(0.1)
        return super().forward(cache, request)


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    engine = Engine.load(str(write_tiny_checkpoint(tmp_path, abilities=["instructions"])), runtime="onnx", threads=1)
    monkeypatch.setattr(engine._runtime, "__class__", SlowRuntime)
    with serving(engine) as server, server.client() as client:
        yield client
    engine.close()


@pytest.mark.parametrize("more", [{}, {"stream": True}])
def test_a_conversation_that_is_not_read_in_time_has_no_empty_answer(client: httpx.Client, more: dict):
    answer = client.post("/v1/chat/completions", json=LONG | {"deadline_ms": 30} | more)
    assert answer.status_code == 503
    assert "time was over before all was computed" in answer.json()["error"]["message"]


def test_where_reading_is_known_to_take_too_long_it_is_not_begun(client: httpx.Client):
    """How long it takes is learned from the first one."""
    client.post("/v1/chat/completions", json=LONG | {"deadline_ms": 30})
    answer = client.post("/v1/chat/completions", json=LONG | {"deadline_ms": 30})
    assert answer.status_code == 400
    assert "cannot be read here" in answer.json()["error"]["message"]
    assert client.post("/v1/chat/completions", json=SHORT).status_code == 200
