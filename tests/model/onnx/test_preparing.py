"""Prepared weights: the same from the file they are kept in, found again by their content, and never in the way."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from coder.errors import CheckpointError
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.checkpoint.stored_tensors import file_part
from coder.model.convert.smoothing import identity, save_smoothing
from coder.model.onnx import preparing
from coder.model.onnx.decoder_graph import DecoderGraph
from coder.model.onnx.preparing import MOST_KEPT, kept_weights_folder, prepare, weights_of
from coder.model.onnx.runtime import OnnxRuntime
from coder.model.onnx.weights import DecoderWeights, read_weights, write_weights
from coder.model.runtime import Pass
from tests.tiny import write_tiny_checkpoint

LEVELS = 127


@pytest.fixture(autouse=True)
def small_ones_are_kept_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(preparing, "WORTH_KEEPING", 0)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache" / name))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return open_checkpoint(str(write_tiny_checkpoint(tmp_path / "tiny", architecture="qwen2", local_width=24)))


def prepared_anew(monkeypatch: pytest.MonkeyPatch) -> list[Checkpoint]:
    """Every checkpoint that is prepared from here on."""
    seen: list[Checkpoint] = []

    def recorded(checkpoint: Checkpoint, *rest):
        seen.append(checkpoint)
        return prepare(checkpoint, *rest)

    monkeypatch.setattr(preparing, "prepare", recorded)
    return seen


def equal(first: object, second: object) -> bool:
    if isinstance(first, np.ndarray):
        return isinstance(second, np.ndarray) and first.dtype == second.dtype and np.array_equal(first, second)
    if isinstance(first, tuple):
        return isinstance(second, tuple) and all(map(equal, first, second)) and len(first) == len(second)
    if hasattr(first, "__dataclass_fields__"):
        return all(equal(getattr(first, field.name), getattr(second, field.name)) for field in fields(first))  # pyright: ignore
    return first == second


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "starcoder2"])
@pytest.mark.parametrize("local_width", [0, 24])
@pytest.mark.parametrize("levels", [LEVELS, 63])
def test_what_is_written_is_read(tmp_path: Path, architecture: str, local_width: int, levels: int):
    folder = write_tiny_checkpoint(tmp_path / "tiny", architecture=architecture, local_width=local_width)
    weights = prepare(open_checkpoint(str(folder)), levels)
    write_weights(tmp_path / "kept.safetensors", weights)
    assert equal(read_weights(tmp_path / "kept.safetensors", weights.config), weights)


def test_what_is_read_is_one_map_of_which_each_array_knows_its_place(tmp_path: Path):
    weights = prepare(open_checkpoint(str(write_tiny_checkpoint(tmp_path / "tiny"))), LEVELS)
    kept = tmp_path / "kept.safetensors"
    write_weights(kept, weights)
    read = read_weights(kept, weights.config)
    arrays = [weight for layer in read.layers for weight in (layer.qkv.values, layer.down.values[1:])]
    assert len({id(root(array)) for array in arrays}) == 1, "a map for each is a descriptor for each"
    content = kept.read_bytes()
    for array in arrays:
        part = file_part(array)
        assert part is not None and part.file == kept
        assert content[part.offset :][: array.nbytes] == array.tobytes()


def root(array: npt.NDArray[Any]) -> object:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def test_they_are_prepared_once(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch):
    seen = prepared_anew(monkeypatch)
    first, second = weights_of(checkpoint, LEVELS), weights_of(checkpoint, LEVELS)
    assert len(seen) == 1
    assert equal(first, second)
    assert equal(first, prepare(checkpoint, LEVELS))


def test_a_kept_runtime_answers_as_a_fresh_one(checkpoint: Checkpoint):
    answers = []
    for _ in range(2):
        runtime = OnnxRuntime.load(checkpoint, threads=1, weight_bits=8)
        answers.append(runtime.forward(runtime.new_cache(), Pass([20, 30, 40], wanted=[0, 1, 2])))
    assert len(list(kept_weights_folder().iterdir())) == 1
    assert np.array_equal(answers[0].probabilities, answers[1].probabilities)


def test_other_contents_are_other_weights(checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    seen = prepared_anew(monkeypatch)
    weights_of(checkpoint, LEVELS)
    weights_of(checkpoint, 63)
    other = open_checkpoint(
        str(write_tiny_checkpoint(tmp_path / "other", architecture="qwen2", local_width=24, seed=1))
    )
    assert not equal(weights_of(other, LEVELS), weights_of(checkpoint, LEVELS))
    same = open_checkpoint(str(write_tiny_checkpoint(tmp_path / "same", architecture="qwen2", local_width=24)))
    weights_of(same, LEVELS)
    assert len(seen) == 3


def test_int8_checkpoints_need_no_copy_unless_they_are_smoothed(tmp_path: Path):
    int8 = open_checkpoint(str(write_tiny_checkpoint(tmp_path / "int8", quantized=True)))
    weights_of(int8, LEVELS)
    assert not kept_weights_folder().exists()
    save_smoothing(int8.folder, identity(int8.config))
    assert equal(weights_of(int8, LEVELS), prepare(int8, LEVELS))
    assert len(list(kept_weights_folder().iterdir())) == 1


def test_the_oldest_give_way(tmp_path: Path):
    for seed in range(MOST_KEPT + 2):
        weights_of(open_checkpoint(str(write_tiny_checkpoint(tmp_path / str(seed), seed=seed))), LEVELS)
    assert len(list(kept_weights_folder().iterdir())) == MOST_KEPT


def damaged(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def incomplete(file: Path) -> None:
    file.write_bytes(b"\x02\0\0\0\0\0\0\0{}")


@pytest.mark.parametrize("spoil", [damaged, incomplete])
def test_a_damaged_file_is_made_again(checkpoint: Checkpoint, spoil, monkeypatch: pytest.MonkeyPatch):
    first = weights_of(checkpoint, LEVELS)
    expected = prepare(checkpoint, LEVELS)
    del first
    (file,) = kept_weights_folder().iterdir()
    spoil(file)
    seen = prepared_anew(monkeypatch)
    assert equal(weights_of(checkpoint, LEVELS), expected)
    assert equal(weights_of(checkpoint, LEVELS), expected)
    assert len(seen) == 1


def test_a_file_of_another_shape_is_an_error(checkpoint: Checkpoint, tmp_path: Path):
    incomplete(tmp_path / "kept.safetensors")
    with pytest.raises(CheckpointError, match="delete it"):
        read_weights(tmp_path / "kept.safetensors", checkpoint.config)


def test_a_full_disk_costs_the_preparation_alone(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch):
    def full(file: Path, weights: DecoderWeights) -> None:
        file.write_bytes(b"part")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(preparing, "write_weights", full)
    assert equal(weights_of(checkpoint, LEVELS), prepare(checkpoint, LEVELS))
    assert not list(kept_weights_folder().iterdir())


def test_a_cache_that_cannot_be_made_costs_the_preparation_alone(checkpoint: Checkpoint, tmp_path: Path):
    (tmp_path / "cache").write_text("a file where the folder would be")
    assert equal(weights_of(checkpoint, LEVELS), prepare(checkpoint, LEVELS))


def test_progress_is_told_up_to_the_end(checkpoint: Checkpoint):
    shares: list[float] = []
    prepare(checkpoint, LEVELS, shares.append)
    assert shares == sorted(shares)
    assert shares[0] > 0 and shares[-1] <= 1


def test_a_graph_reads_kept_weights_from_their_file_and_holds_no_copy(checkpoint: Checkpoint):
    weights_of(checkpoint, LEVELS)
    kept = weights_of(checkpoint, LEVELS)
    graph = DecoderGraph(kept).build()
    assert graph.folder == kept_weights_folder().resolve()
    positions = (checkpoint.config.max_positions + 1, checkpoint.config.head_dim // 2)
    assert [array.shape for array in graph.in_memory.values()] == [positions, positions], "the rotations alone"


def test_a_file_that_went_away_is_still_held(checkpoint: Checkpoint):
    """Another model's weights may push it out while a session of several sequences is yet to be built."""
    runtime = OnnxRuntime.load(checkpoint, threads=1, weight_bits=8)
    for file in kept_weights_folder().iterdir():
        file.unlink()
    request = Pass([20, 30, 40], wanted=[2])
    alone = runtime.forward(runtime.new_cache(), request)
    for answer in runtime.forward_batch([runtime.new_cache(), runtime.new_cache()], [request, request]):
        np.testing.assert_array_equal(answer.tokens, alone.tokens)
