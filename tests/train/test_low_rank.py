"""Low-rank changes: nothing at first, then what was learned, and the same when they are merged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from coder.model.checkpoint.adapter import with_adapter, write_adapter
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.torch.decoder import Decoder
from coder.train.adapt import AdaptSettings, adapt
from coder.train.low_rank import add_low_rank, changes_of
from coder.train.packed_rows import Document, PackedRows, RowsCard, write_card, write_shard
from tests.tiny import CORPUS, open_tiny_checkpoint

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """So small a model only waits for threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return open_tiny_checkpoint(tmp_path / "model")


def hidden(decoder: Decoder) -> torch.Tensor:
    """Of a few tokens, each of which sees those before it."""

    def attend(_: int, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.scaled_dot_product_attention(queries, keys, values, is_causal=True, enable_gqa=True)

    tokens = torch.arange(40, 60)[None]
    return decoder(tokens, torch.arange(20)[None], attend)


def test_at_first_nothing_changes_and_only_the_changes_are_trained(checkpoint: Checkpoint):
    decoder = Decoder.from_checkpoint(checkpoint, CPU, torch.float32)
    before = hidden(decoder)
    trained = add_low_rank(decoder, 2, 2.0, 0)
    assert torch.equal(hidden(decoder), before)
    assert len(trained) == 2 * 4 * checkpoint.config.num_layers
    hidden(decoder).square().sum().backward()
    assert all(parameter.grad is not None for parameter in trained)
    assert all(parameter.grad is None for parameter in decoder.parameters() if not parameter.requires_grad)


@torch.no_grad()
def test_merged_weights_compute_what_was_learned(tmp_path: Path, checkpoint: Checkpoint):
    decoder = Decoder.from_checkpoint(checkpoint, CPU, torch.float32)
    before = hidden(decoder)
    for parameter in add_low_rank(decoder, 2, 2.0, 0):
        parameter.copy_((0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))).half().float())
    write_adapter(tmp_path / "a.safetensors", checkpoint, changes_of(decoder), 2.0)
    merged = Decoder.from_checkpoint(with_adapter(checkpoint, tmp_path / "a.safetensors"), CPU, torch.float32)
    assert not torch.allclose(hidden(decoder), before, atol=1e-2)
    torch.testing.assert_close(hidden(merged), hidden(decoder), rtol=1e-3, atol=1e-3)


def rows_of(folder: Path, checkpoint: Checkpoint) -> PackedRows:
    """The corpus of the tiny tokenizer, a document a row, left to right."""
    control, encode = checkpoint.config.control, checkpoint.tokenizer.encode
    documents = [
        Document([control.fim_suffix, control.fim_prefix], [*encode(text), control.fim_end]) for text in CORPUS
    ]
    folder.mkdir()
    shard = write_shard(folder, "0", [[document] for document in documents], 128, checkpoint.config.vocab_size)
    write_card(folder, RowsCard(128, checkpoint.tokenizer.digest, checkpoint.config.vocab_size, 0, {}, (shard,)))
    return PackedRows(folder)


@pytest.mark.slow
def test_the_loss_falls_and_the_adapter_fits_its_model(tmp_path: Path, checkpoint: Checkpoint):
    rows, out = rows_of(tmp_path / "rows", checkpoint), tmp_path / "out.safetensors"
    settings = AdaptSettings(epochs=60, max_seconds=3600)
    steps = [step.loss for step in adapt(str(checkpoint.folder), rows, out, settings)]
    assert len(steps) == 60 * 3 // 4
    assert sum(steps[-5:]) < 0.9 * sum(steps[:5])
    adapted = with_adapter(checkpoint, out)
    name = "model.layers.1.mlp.down_proj.weight"
    assert (adapted.float_tensor(name) != checkpoint.float_tensor(name)).any()


def test_an_interrupted_training_keeps_what_it_learned(
    tmp_path: Path, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
):
    rows, out = rows_of(tmp_path / "rows", checkpoint), tmp_path / "a.safetensors"
    clip, calls = torch.nn.utils.clip_grad_norm_, []

    def interrupted(*arguments: Any) -> torch.Tensor:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return clip(*arguments)

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", interrupted)
    steps = list(adapt(str(checkpoint.folder), rows, out, AdaptSettings(epochs=60, max_seconds=3600)))
    assert [(step.step, step.steps) for step in steps] == [(1, 45), (2, 45)]
    name = "model.layers.1.mlp.down_proj.weight"
    assert (with_adapter(checkpoint, out).float_tensor(name) != checkpoint.float_tensor(name)).any()


def test_left_early_nothing_is_written(tmp_path: Path, checkpoint: Checkpoint):
    training = adapt(
        str(checkpoint.folder), rows_of(tmp_path / "rows", checkpoint), tmp_path / "a.safetensors", AdaptSettings()
    )
    next(training)
    training.close()  # type: ignore[attr-defined]
    assert not list(tmp_path.glob("*.safetensors"))
