"""A decoder's weights as the ONNX graph wants them, and the same in a file: read again, they are maps of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from coder.errors import CheckpointError
from coder.model.checkpoint.config import ModelConfig
from coder.model.checkpoint.stored_tensors import TensorHeader, stored_tensors, write_tensors

Vector = npt.NDArray[np.float32]
Values = npt.NDArray[np.int8 | np.float32]


@dataclass(frozen=True)
class Linear:
    """A matrix: int8 with a float32 scale an output channel, or float32 with none. Usually [in, out].

    `bias` [out] is added to its products.
    """

    values: Values
    scale: Vector | None
    bias: Vector | None = None


@dataclass(frozen=True)
class Norm:
    """A norm's weight [hidden], and the bias [hidden] of a LayerNorm; without one it is an RMSNorm."""

    weight: Vector
    bias: Vector | None = None


@dataclass(frozen=True)
class LayerWeights:
    """One decoder layer. Query, key and value rows are stacked in `qkv`; see `FeedForward` for the last three."""

    input_norm: Norm
    qkv: Linear
    out: Linear
    post_attention_norm: Norm
    gate: Linear | None
    up: Linear
    down: Linear


@dataclass(frozen=True)
class LocalWeights:
    """The local autoregression, see `runtime.LocalStep`; `inner` has a bias.

    Attributes:
        embedding_scale: [1], what brings the embeddings of ordinary tokens to a standard deviation of 1.
        final_norm: the decoder's last norm as it is; `head_smoothing` is what its states are divided by for the head.
    """

    inner: Linear
    outer: Linear
    embedding_scale: Vector
    final_norm: Norm
    head_smoothing: Vector


Part = TypeVar("Part", LayerWeights, LocalWeights)


@dataclass(frozen=True)
class DecoderWeights:
    """All weights of a decoder: those of linear layers quantised, or all in float32.

    Attributes:
        embedding: the table [vocabulary, hidden], one scale a token.
        final_norm: divided by the head's smoothing.
        local: None where the checkpoint has no local autoregression.
    """

    config: ModelConfig
    embedding: Linear
    head: Linear
    final_norm: Norm
    layers: tuple[LayerWeights, ...]
    local: LocalWeights | None

    @property
    def quantized(self) -> bool:
        return self.head.scale is not None


def write_weights(file: Path, weights: DecoderWeights) -> None:
    """Write all but the configuration as safetensors."""
    arrays = dict(_arrays(weights))
    dtypes = {np.dtype(np.int8): "I8", np.dtype(np.float32): "F32"}
    headers = [TensorHeader(name, dtypes[array.dtype], array.shape) for name, array in arrays.items()]
    write_tensors(file, headers, arrays.values())


def read_weights(file: Path, config: ModelConfig) -> DecoderWeights:
    """Weights that `write_weights` wrote, as parts of one read-only map of the file. Raises CheckpointError when it is
    damaged."""
    tensors = stored_tensors(file)
    # Python keeps a descriptor for each map, and some systems give a process 256.
    content = np.memmap(str(file), np.uint8, "r")
    arrays = {name: tensor.part_of(content) for name, tensor in tensors.items()}
    try:
        return DecoderWeights(
            config,
            _linear(arrays, "embedding."),
            _linear(arrays, "head."),
            _norm(arrays, "final_norm."),
            tuple(_part(LayerWeights, arrays, f"layers.{index}.") for index in range(config.num_layers)),
            _part(LocalWeights, arrays, "local.") if config.local_width else None,
        )
    except KeyError as error:
        raise CheckpointError(f"{file} lacks {error}; delete it, it is made again") from error


def _arrays(part: Any, prefix: str = "") -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Every array of a dataclass and of those in it, named by the way to it."""
    for field in fields(part):
        value = getattr(part, field.name)
        several = enumerate(value) if isinstance(value, tuple) else [("", value)]
        for index, one in several:
            name = f"{prefix}{field.name}" if index == "" else f"{prefix}{field.name}.{index}"
            if isinstance(one, np.ndarray):
                yield name, one
            elif isinstance(one, Linear | Norm | LayerWeights | LocalWeights):
                yield from _arrays(one, f"{name}.")


def _linear(arrays: Mapping[str, npt.NDArray[Any]], prefix: str) -> Linear:
    return Linear(arrays[f"{prefix}values"], arrays.get(f"{prefix}scale"), arrays.get(f"{prefix}bias"))


def _norm(arrays: Mapping[str, npt.NDArray[Any]], prefix: str) -> Norm:
    return Norm(arrays[f"{prefix}weight"], arrays.get(f"{prefix}bias"))


def _part(kind: type[Part], arrays: Mapping[str, npt.NDArray[Any]], prefix: str) -> Part:
    values: dict[str, Any] = {}
    for field in fields(kind):
        name = f"{prefix}{field.name}"
        match field.type:
            case "Linear | None" if f"{name}.values" not in arrays:
                values[field.name] = None
            case "Linear" | "Linear | None":
                values[field.name] = _linear(arrays, f"{name}.")
            case "Norm":
                values[field.name] = _norm(arrays, f"{name}.")
            case _:
                values[field.name] = arrays[name]
    return kind(**values)
