"""Adapting: the loss falls, and what was learned fits the model that it was learned for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from coder.model.checkpoint.adapter import with_adapter
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.train.adapt import AdaptSettings, adapt
from coder.train.packed_rows import PackedRows
from tests.tiny import open_tiny_checkpoint
from tests.train.lessons import write_lessons


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return open_tiny_checkpoint(tmp_path / "model")


@pytest.fixture
def rows(tmp_path: Path, checkpoint: Checkpoint) -> PackedRows:
    return PackedRows(write_lessons(tmp_path / "rows", checkpoint.folder))


def changed(checkpoint: Checkpoint, adapter: Path) -> bool:
    name = "model.layers.1.mlp.down_proj.weight"
    return bool((with_adapter(checkpoint, adapter).float_tensor(name) != checkpoint.float_tensor(name)).any())


@pytest.mark.slow
def test_the_loss_falls_and_the_adapter_fits_its_model(tmp_path: Path, checkpoint: Checkpoint, rows: PackedRows):
    out = tmp_path / "out.safetensors"
    steps = list(adapt(str(checkpoint.folder), rows, out, AdaptSettings(epochs=40, max_seconds=3600)))
    assert len(steps) == 40 * len(rows) // 4
    losses = [step.loss for step in steps]
    assert sum(losses[-5:]) < 0.95 * sum(losses[:5])
    assert changed(checkpoint, out)


@pytest.mark.slow
def test_a_second_adapter_comes_on_top_of_the_first(tmp_path: Path, checkpoint: Checkpoint, rows: PackedRows):
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    settings = AdaptSettings(epochs=8, max_seconds=3600)
    list(adapt(str(checkpoint.folder), rows, first, settings))
    again = list(adapt(f"{checkpoint.folder}+{first}", rows, second, settings))
    alone = list(adapt(str(checkpoint.folder), rows, tmp_path / "alone.safetensors", settings))
    assert again[0].loss < alone[0].loss


def test_an_interrupted_training_keeps_what_it_learned(
    tmp_path: Path, checkpoint: Checkpoint, rows: PackedRows, monkeypatch: pytest.MonkeyPatch
):
    out = tmp_path / "a.safetensors"
    clip, calls = torch.nn.utils.clip_grad_norm_, []

    def interrupted(*arguments: Any) -> torch.Tensor:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return clip(*arguments)

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", interrupted)
    steps = list(adapt(str(checkpoint.folder), rows, out, AdaptSettings(epochs=60, max_seconds=3600)))
    assert [step.step for step in steps] == [1, 2]
    assert changed(checkpoint, out)


def test_left_early_nothing_is_written(tmp_path: Path, checkpoint: Checkpoint, rows: PackedRows):
    training = adapt(str(checkpoint.folder), rows, tmp_path / "a.safetensors", AdaptSettings())
    next(training)
    training.close()  # type: ignore[attr-defined]
    assert not list(tmp_path.glob("*.safetensors"))
