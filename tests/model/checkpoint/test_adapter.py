"""Adapters: the change is in the weights however they are stored, and a file that does not fit is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from coder.engine.engine import Engine
from coder.errors import CheckpointError
from coder.model.checkpoint.adapter import FORMAT, Change, fingerprint, with_adapter, write_adapter
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.opening import open_checkpoint
from tests.tiny import open_tiny_checkpoint, write_tiny_checkpoint

SCALE = 2.0
QUERY = "model.layers.0.self_attn.q_proj.weight"


def changes_for(checkpoint: Checkpoint, seed: int = 0) -> dict[str, Change]:
    """A change of every matrix of the layers, rounded as a file rounds it."""
    random = np.random.default_rng(seed)
    changes = {}
    for name, tensor in checkpoint.stored.items():
        if len(tensor.shape) == 2 and ".layers." in name:
            halves = (random.standard_normal((3, tensor.shape[1])), random.standard_normal((tensor.shape[0], 3)))
            down, up = ((half * 0.2).astype(np.float16).astype(np.float32) for half in halves)
            changes[name] = down, up
    return changes


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint in float32 and in int8, and an adapter of it."""
    folder = tmp_path_factory.mktemp("adapted")
    checkpoint = open_tiny_checkpoint(folder / "float")
    write_tiny_checkpoint(folder / "int8", quantized=True)
    write_adapter(folder / "some.safetensors", checkpoint, changes_for(checkpoint), SCALE)
    return folder


def test_the_change_is_added_to_every_matrix_it_is_of(folder: Path):
    plain, adapted = (open_checkpoint(str(folder / name)) for name in ("float", "float"))
    adapted = with_adapter(plain, folder / "some.safetensors")
    for name, (down, up) in changes_for(plain).items():
        np.testing.assert_allclose(
            adapted.float_tensor(name), plain.float_tensor(name) + SCALE * up @ down, rtol=1e-6, atol=1e-6
        )
    embedding = "model.embed_tokens.weight"
    assert np.array_equal(adapted.float_tensor(embedding), plain.float_tensor(embedding))


def test_an_adapter_in_int8_is_read_by_the_factors_of_its_rows(folder: Path, tmp_path: Path):
    with safetensors.safe_open(folder / "some.safetensors", "numpy") as opened:
        metadata = opened.metadata()
    tensors: dict[str, np.ndarray] = {}
    for name, values in safetensors.numpy.load_file(folder / "some.safetensors").items():
        scale = np.abs(values).max(axis=1).astype(np.float32) / 127
        tensors |= {name: np.round(values / scale[:, None]).astype(np.int8), f"{name}_scale": scale}
    safetensors.numpy.save_file(tensors, tmp_path / "small.safetensors", metadata)
    plain = open_checkpoint(str(folder / "float"))
    exact, small = (with_adapter(plain, file) for file in (folder / "some.safetensors", tmp_path / "small.safetensors"))
    for name in changes_for(plain):
        difference = small.float_tensor(name) - exact.float_tensor(name)
        assert np.abs(difference).max() < 0.02 * np.abs(exact.float_tensor(name) - plain.float_tensor(name)).max()
        assert small.stored[name].read(slice(1, 3)).shape == exact.stored[name].read(slice(1, 3)).shape
    name = next(name for name in tensors if name.endswith("_scale"))
    for damage in ({name: tensors[name][1:]}, {}):
        kept = {other: values for other, values in tensors.items() if other != name}
        safetensors.numpy.save_file(kept | damage, tmp_path / "damaged.safetensors", metadata)
        with pytest.raises(CheckpointError, match="factors of its rows"):
            with_adapter(plain, tmp_path / "damaged.safetensors")


def test_a_matrix_in_int8_is_changed_as_exactly_as_it_is_stored(folder: Path):
    """The float matrix and the int8 one differ by rounding alone: half a step of each row's scale."""
    full, quantized = (open_checkpoint(f"{folder / name}+{folder / 'some.safetensors'}") for name in ("float", "int8"))
    for name in changes_for(full):
        step = open_checkpoint(str(folder / "int8")).stored[f"{name}_scale"].read()
        difference = np.abs(full.float_tensor(name) - quantized.float_tensor(name))
        assert (difference <= 0.5 * step[:, None] + 1e-6).all()


def test_the_int8_runtime_answers_as_the_adapted_float_model_does(folder: Path):
    """Through the engine: what the adapter changes is large, what quantisation changes is small."""
    adapter = folder / "some.safetensors"
    names = {
        "plain": f"{folder / 'int8'}",
        "int8": f"{folder / 'int8'}+{adapter}",
        "float": f"{folder / 'float'}+{adapter}",
    }
    scores = {}
    for name, model in names.items():
        engine = Engine.load(model, runtime="torch" if name == "float" else "onnx", threads=1)
        scores[name] = engine.score("def add(first, second):\n", "\n", "    return first + second").log_probability
        engine.close()
    assert abs(scores["int8"] - scores["float"]) < 0.5 * abs(scores["plain"] - scores["float"])


def test_int8_weights_have_the_fingerprint_of_those_they_were_made_of(folder: Path):
    full, quantized = (open_checkpoint(str(folder / name)) for name in ("float", "int8"))
    assert fingerprint(full) == fingerprint(quantized)


def test_an_adapter_of_other_weights_is_refused(folder: Path, tmp_path: Path):
    write_tiny_checkpoint(tmp_path / "other", seed=1)
    with pytest.raises(CheckpointError, match="made for other weights"):
        open_checkpoint(f"{tmp_path / 'other'}+{folder / 'some.safetensors'}")


def with_adapter_named(folder: Path, name: object) -> Path:
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    settings["quickfill"]["adapter"] = name
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def test_a_checkpoint_may_name_its_own_adapter(tmp_path: Path):
    folder = write_tiny_checkpoint(tmp_path / "tiny")
    plain = open_checkpoint(str(folder))
    changes = changes_for(plain)
    write_adapter(folder / "adapter.safetensors", plain, changes, scale=2.0)
    adapted = open_checkpoint(str(with_adapter_named(folder, "adapter.safetensors")))
    expected = with_adapter(plain, folder / "adapter.safetensors")
    assert adapted.adapters == (folder / "adapter.safetensors",)
    for name in changes:
        assert (adapted.float_tensor(name) == expected.float_tensor(name)).all()


@pytest.mark.parametrize("name", ["../adapter.safetensors", "/etc/adapter", "a/b", "", 3])
def test_an_adapter_elsewhere_is_refused(tmp_path: Path, name: object):
    folder = with_adapter_named(write_tiny_checkpoint(tmp_path / "tiny"), name)
    with pytest.raises(CheckpointError, match=r"quickfill\.adapter must name a file beside it|there is no adapter"):
        open_checkpoint(str(folder))


def test_a_folder_may_have_a_plus_in_its_name(tmp_path: Path):
    write_tiny_checkpoint(tmp_path / "a+b")
    assert open_checkpoint(str(tmp_path / "a+b")).folder == tmp_path / "a+b"


def damaged(change: Callable[[dict[str, np.ndarray], dict[str, str]], object]) -> Callable[[Path], None]:
    def write(file: Path) -> None:
        tensors, metadata = safetensors.numpy.load_file(file), dict(read_metadata(file))
        change(tensors, metadata)
        safetensors.numpy.save_file(tensors, file, metadata)

    return write


def read_metadata(file: Path) -> dict[str, str]:
    content = file.read_bytes()
    return json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda file: file.unlink(), "there is no adapter"),
    "cut": (lambda file: file.write_bytes(file.read_bytes()[:-9]), "truncated"),
    "no safetensors": (lambda file: file.write_text("hello"), "not a safetensors file"),
    "a model": (damaged(lambda tensors, metadata: metadata.clear()), f"no adapter of this version .{FORMAT}."),
    "no scale": (damaged(lambda tensors, metadata: metadata.pop("scale")), "scale is no number"),
    "no finite scale": (damaged(lambda tensors, metadata: metadata.update(scale="inf")), "scale is no number"),
    "half a change": (damaged(lambda tensors, metadata: tensors.pop(f"{QUERY}.lora_B")), "lacks a half"),
    "an unknown matrix": (
        damaged(lambda tensors, metadata: tensors.update({"x.lora_A": tensors.pop(f"{QUERY}.lora_A")})),
        "is no matrix of the model",
    ),
    "another shape": (
        damaged(lambda tensors, metadata: tensors.update({f"{QUERY}.lora_A": np.zeros((3, 5), np.float16)})),
        r"q_proj\.weight is \[",
    ),
    "not a number": (
        damaged(lambda tensors, metadata: tensors[f"{QUERY}.lora_A"].fill(np.nan)),
        "values that are no numbers",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_adapter_is_refused_with_a_reason(folder: Path, tmp_path: Path, damage: str):
    file = tmp_path / "adapter.safetensors"
    file.write_bytes((folder / "some.safetensors").read_bytes())
    do, message = DAMAGE[damage]
    do(file)
    with pytest.raises(CheckpointError, match=message):
        open_checkpoint(f"{folder / 'float'}+{file}")
