"""Prompts: snippets at their head where the checkpoint can read them, and the workspace's say beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from coder.api.completion import CompletionRequest, Decoding, Snippet, Where
from coder.api.text_requests import redecoded
from coder.engine.engine import Engine
from coder.generation import workspace_guide
from coder.generation.prompting import Prompting
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.config import Abilities
from tests.tiny import open_tiny_checkpoint

PATTERN = "def area(width, height):\n    return width * height\n"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder: Path = tmp_path_factory.mktemp("tiny")
    return open_tiny_checkpoint(folder, seed=1)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    for number in range(20):
        (folder / f"shape_{number}.py").write_text(PATTERN)
    return folder


def test_a_prompt_with_the_largest_snippets_leaves_positions_for_an_answer(checkpoint: Checkpoint):
    config = replace(checkpoint.config, abilities=Abilities(context=True))
    snippets = tuple(Snippet(f"{number}.py", "x = 1\n" * 5) for number in range(50))
    request = CompletionRequest("y = 2\n" * 999, "z = 3\n" * 999, snippets=snippets)
    tokens = Prompting(config, checkpoint.tokenizer).prompt(request).tokens
    assert tokens[0] == config.control.repo
    assert len(tokens) < config.max_positions * 7 // 8


def test_without_a_workspace_there_is_no_guide(checkpoint: Checkpoint):
    assert Prompting(checkpoint.config, checkpoint.tokenizer).prompt(CompletionRequest("a", "b")).guides == ()


def test_a_workspace_changes_what_is_written_and_none_does_not(
    checkpoint: Checkpoint, workspace: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(workspace_guide, "STRENGTH", 1000.0)  # untrained, the model is sure of other tokens
    engine = Engine.load(str(checkpoint.folder), runtime="onnx", threads=1)
    engine.workspace_index(str(workspace)).wait()
    request = CompletionRequest("def area(width,", "\n", where=Where(path="new.py"), decoding=Decoding(max_tokens=8))
    for policy in ("autoregressive", "lookup", "threshold"):
        without = engine.complete(redecoded(request, policy=policy))
        known = engine.complete(
            redecoded(replace(request, where=replace(request.where, workspace=str(workspace))), policy=policy)
        )
        assert known.text.startswith(" height)")
        assert engine.complete(redecoded(request, policy=policy)).text == without.text != known.text
    engine.close()


def test_an_empty_workspace_changes_nothing(checkpoint: Checkpoint, tmp_path: Path):
    engine = Engine.load(str(checkpoint.folder), runtime="onnx", threads=1)
    request = CompletionRequest("def area(width,", "\n", decoding=Decoding(policy="autoregressive", max_tokens=8))
    assert (
        engine.complete(replace(request, where=replace(request.where, workspace=str(tmp_path)))).text
        == engine.complete(request).text
    )
    engine.close()


def test_closing_the_engine_stops_its_indexes(checkpoint: Checkpoint, workspace: Path):
    engine = Engine.load(str(checkpoint.folder), runtime="onnx", threads=1)
    index = engine.workspace_index(str(workspace))
    assert index.wait()
    engine.close()
    assert not index.wait(0.01)
