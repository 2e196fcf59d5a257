"""Conversations are answered by the weights without an adapter, which are there while they are needed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, Decoding, Turn
from coder.engine.engine import Engine
from coder.errors import InputError
from coder.model.checkpoint.adapter import write_adapter
from coder.model.checkpoint.opening import open_checkpoint
from tests.tiny import write_tiny_checkpoint

CONVERSATION = CompletionRequest("", conversation=(Turn("user", "Hello"),), decoding=Decoding(max_tokens=12))
HOLE = CompletionRequest("def add(first, second):\n", "\n", decoding=Decoding(max_tokens=12))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_checkpoint(tmp_path_factory.mktemp("base"), abilities=["instructions"])


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that changes what is written."""
    checkpoint, random = open_checkpoint(str(base)), np.random.default_rng(0)
    name = "model.layers.1.mlp.down_proj.weight"
    wide, narrow = checkpoint.stored[name].shape
    change = random.standard_normal((4, narrow), np.float32), random.standard_normal((wide, 4), np.float32)
    file = tmp_path_factory.mktemp("adapter") / "adapter.safetensors"
    write_adapter(file, checkpoint, {name: change}, scale=1.0)
    return file


@pytest.fixture(scope="module")
def plain(base: Path) -> Iterator[Engine]:
    engine = Engine.load(str(base), runtime="onnx", threads=1)
    yield engine
    engine.close()


@pytest.fixture
def adapted(base: Path, adapter: Path) -> Iterator[Engine]:
    engine = Engine.load(f"{base}+{adapter}", runtime="onnx", threads=1)
    yield engine
    engine.close()


def test_a_conversation_has_the_answer_of_the_weights_without_the_adapter_a_hole_that_of_those_with_it(
    plain: Engine, adapted: Engine
):
    assert adapted.complete(CONVERSATION).text == plain.complete(CONVERSATION).text != ""
    assert adapted.complete(HOLE).text != plain.complete(HOLE).text


def test_holes_need_no_second_set_of_weights(base: Path, adapter: Path):
    checkpoint = open_checkpoint(f"{base}+{adapter}")

    def refuse() -> None:
        raise AssertionError("nobody needs it")

    engine = _engine(checkpoint, refuse)
    assert engine.complete(HOLE).text
    with pytest.raises(AssertionError, match="nobody needs it"):
        engine.complete(CONVERSATION)
    assert engine.complete(HOLE).text, "the engine lives on"
    engine.close()


def _engine(checkpoint, load: Callable[[], None]) -> Engine:
    from coder.engine.runtimes import load_runtime

    return Engine(load_runtime(checkpoint, "onnx", 1), checkpoint, "tiny", load_unadapted=load)  # type: ignore[arg-type]


def test_conversations_and_holes_that_share_an_engine_are_answered_as_if_alone(plain: Engine, adapted: Engine):
    requests = [CONVERSATION, HOLE, replace(CONVERSATION, prefix="```python\n"), replace(HOLE, prefix="x = ")] * 2
    alone = [adapted.complete(request).text for request in requests]
    assert [completion.text for completion in adapted.complete_many(requests)] == alone


def test_any_thread_may_ask(adapted: Engine):
    texts: list[str] = []
    threads = [threading.Thread(target=lambda: texts.append(adapted.complete(CONVERSATION).text)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(set(texts)) == 1
    assert len(texts) == 3


def test_a_policy_that_fills_canvases_is_left_to_holes(adapted: Engine):
    drawn = replace(CONVERSATION, decoding=Decoding(policy="threshold", max_tokens=12))
    assert adapted.complete(drawn).text == adapted.complete(CONVERSATION).text


def test_the_context_of_a_conversation_can_be_read_ahead(adapted: Engine):
    assert adapted.prefill(CONVERSATION)
    assert adapted.complete(CONVERSATION).statistics.prefill_tokens == 0


def test_what_is_shown_while_it_is_written_is_a_beginning_of_the_answer(adapted: Engine):
    *updates, answer = adapted.stream(CONVERSATION)
    assert isinstance(answer, Completion)
    for update in updates:
        assert isinstance(update, CanvasUpdate)
        assert answer.text.startswith(update.stays)


def test_a_checkpoint_that_follows_no_instructions_is_not_asked(tmp_path: Path):
    engine = Engine.load(str(write_tiny_checkpoint(tmp_path / "base")), runtime="onnx", threads=1)
    with pytest.raises(InputError, match="follows no instructions"):
        engine.complete(CONVERSATION)
    engine.close()
