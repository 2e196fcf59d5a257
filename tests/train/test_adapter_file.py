"""The file that training makes: its names and types, and that training goes on from it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import safetensors
import torch

from coder.errors import CheckpointError
from coder.model.convert.convert import convert
from coder.train.adapter_file import (
    adapter_tensors,
    in_smaller_size,
    load_adapter,
    read_adapter,
    write_adapter,
)
from coder.train.base_model import open_base
from coder.train.objective import TwoStreamModel
from coder.train.run import prepared
from tests.tiny import write_tiny_checkpoint
from tests.train.runs import settings_of
from tests.train.test_objective import model_of


def written(folder: Path, model: TwoStreamModel, dtype: torch.dtype = torch.float32) -> Path:
    file = folder / "adapter.safetensors"
    write_adapter(file, adapter_tensors(model.state_dict()), 8, 2.0, "a hash", dtype)
    return file


def test_it_has_a_change_of_every_matrix_the_mask_and_the_local_autoregression(tmp_path: Path):
    file = written(tmp_path, model_of(tmp_path), torch.bfloat16)
    with safetensors.safe_open(file, "pt") as opened:
        names = set(opened.keys())
        assert opened.metadata() == {"format": "quickfill-adapter-1", "scale": "2.0", "rank": "8", "base": "a hash"}
        assert opened.get_tensor("model.layers.0.self_attn.k_proj.weight.lora_A").dtype == torch.bfloat16
        assert list(opened.get_tensor("model.layers.2.mlp.down_proj.weight.lora_B").shape) == [32, 8]
        assert opened.get_tensor("mask_embedding").dtype == torch.float32
    matrices = ("q_proj", "k_proj", "v_proj", "o_proj"), ("gate_proj", "up_proj", "down_proj")
    own = {
        f"model.layers.{layer}.{part}.{matrix}.weight.lora_{half}"
        for layer in range(3)
        for part, found in zip(("self_attn", "mlp"), matrices, strict=True)
        for matrix in found
        for half in "AB"
    }
    assert names == own | {"mask_embedding", "local.W1", "local.b1", "local.W2"}


def test_training_goes_on_from_what_was_written(tmp_path: Path):
    model = model_of(tmp_path)
    file = written(tmp_path, model)
    again = prepared(open_base(str(tmp_path / "init"), torch.float32), settings_of(tmp_path, model={"adapter": file}))
    for name, value in adapter_tensors(model.state_dict()).items():
        torch.testing.assert_close(adapter_tensors(again.state_dict())[name], value)


def test_in_int8_it_is_as_exact_as_a_byte_allows_and_training_goes_on_from_it(tmp_path: Path):
    model = model_of(tmp_path)
    expected = adapter_tensors(model.state_dict())
    in_smaller_size(written(tmp_path, model), tmp_path / "small.safetensors", torch.int8)
    with safetensors.safe_open(tmp_path / "small.safetensors", "pt") as opened:
        assert opened.get_tensor("local.W1").dtype == torch.int8
        assert opened.get_tensor("local.b1").dtype == opened.get_tensor("mask_embedding").dtype == torch.float32
    metadata, found = read_adapter(tmp_path / "small.safetensors")
    assert metadata["rank"] == "8" and found.keys() == expected.keys()
    for name, value in expected.items():
        step = value.abs().amax(dim=-1, keepdim=True) / 127
        assert ((found[name] - value).abs() <= 0.51 * step + 1e-9).all(), name
    load_adapter(model, tmp_path / "small.safetensors", 2.0)


def test_names_without_the_parameters_own_are_read_too(tmp_path: Path):
    """The first adapters named modules, and held a weight that nothing reads."""
    model = model_of(tmp_path)
    tensors = {name.replace(".weight", ""): value for name, value in adapter_tensors(model.state_dict()).items()}
    write_adapter(tmp_path / "old.safetensors", {**tensors, "local.g": torch.ones(32)}, 8, 2.0, "a hash")
    again = model_of(tmp_path)
    with torch.no_grad():
        for parameter in again.parameters():
            if parameter.requires_grad:
                parameter.zero_()
    load_adapter(again, tmp_path / "old.safetensors", 2.0)
    for name, value in adapter_tensors(model.state_dict()).items():
        torch.testing.assert_close(adapter_tensors(again.state_dict())[name], value)


def test_a_larger_rank_begins_as_the_smaller_one_was(tmp_path: Path):
    model = model_of(tmp_path)
    settings = settings_of(tmp_path, model={"adapter": written(tmp_path, model), "rank": 12})
    larger = adapter_tensors(prepared(open_base(str(tmp_path / "init"), torch.float32), settings).state_dict())
    smaller = adapter_tensors(model.state_dict())
    name = "model.layers.1.mlp.up_proj.weight"
    torch.testing.assert_close(
        larger[f"{name}.lora_B"] @ larger[f"{name}.lora_A"], smaller[f"{name}.lora_B"] @ smaller[f"{name}.lora_A"]
    )


def test_what_does_not_fit_is_refused(tmp_path: Path):
    model = model_of(tmp_path)
    file = written(tmp_path, model)
    with pytest.raises(CheckpointError, match=r"scale of 2.0, model.scale is 1.0"):
        load_adapter(model, file, 1.0)
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_adapter(tmp_path / "none.safetensors")
    smaller = prepared(open_base(str(tmp_path / "init"), torch.float32), settings_of(tmp_path, model={"rank": 4}))
    with pytest.raises(CheckpointError, match="does not fit"):
        load_adapter(smaller, file, 2.0)


def test_a_base_in_gguf_is_read_as_it_is_and_its_adapters_know_it(tmp_path: Path):
    ours = write_tiny_checkpoint(tmp_path / "ours")
    base = tmp_path / "base"
    base.mkdir()
    convert(str(ours), base / "base.gguf", to="gguf", precision="f32")
    shutil.copyfile(ours / "tokenizer.json", base / "tokenizer.json")
    config = json.loads((ours / "config.json").read_text(encoding="utf-8"))
    del config["quickfill"]
    (base / "config.json").write_text(json.dumps(config), encoding="utf-8")
    expected, found = open_base(str(ours), torch.float32), open_base(str(base), torch.float32)
    state = expected.model.state_dict()
    for name, value in found.model.state_dict().items():
        torch.testing.assert_close(value, state[name], msg=name)
    assert found.checkpoint is None and found.fingerprint == expected.fingerprint
