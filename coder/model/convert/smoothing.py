"""Smoothing factors: outlier channels of activations moved into the weights, so that int8 activations keep their bits.

SmoothQuant (2211.10438): a channel of a linear layer's input is divided by a factor and the matching column of its
weight multiplied by it. The division costs nothing where it is folded away: of the norms' outputs into the norm's
weight, of `o_proj`'s input into the rows of `v_proj`, of `down_proj`'s input into the rows of `up_proj`. The function
computed stays the same, whatever the factors.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import safetensors
from safetensors.numpy import load_file, save_file

from coder.errors import CheckpointError
from coder.model.checkpoint.config import ModelConfig

SMOOTHING_FILE = "smoothing.safetensors"
"""Beside the weights of a checkpoint; without it nothing is smoothed."""

STRENGTH = 0.65
"""SmoothQuant's alpha in the layers: how much of an outlier moves from the activation to the weight."""

HEAD_STRENGTH = 0.5
"""The same for the head, whose outliers are smaller: with 7-bit weights more would cost the weights too much."""

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class LayerSmoothing:
    """Factors of one layer, float32, one a channel of the input.

    qkv [hidden]; out [key-value heads x head size], shared by the query heads of a group; gate_up [hidden];
    down [intermediate].
    """

    qkv: Vector
    out: Vector
    gate_up: Vector
    down: Vector


def factors(activation_largest: Vector, weight_largest: Vector, strength: float) -> Vector:
    """Factors from the largest magnitude of each channel in the activations and in the weight's columns, both [in].

    Scaled to a geometric mean of 1, so that weights keep their size on the whole.
    """
    activation = np.maximum(activation_largest, 1e-5) ** strength
    weight = np.maximum(weight_largest, 1e-5) ** (1.0 - strength)
    logarithm = np.log(activation) - np.log(weight)
    return np.exp(logarithm - logarithm.mean()).astype(np.float32)


@dataclass(frozen=True)
class Smoothing:
    """Factors of a whole decoder. `head` [hidden] is folded into the last norm and into the head's copy of the
    embedding."""

    layers: tuple[LayerSmoothing, ...]
    head: Vector


def identity(config: ModelConfig) -> Smoothing:
    """Factors that change nothing."""
    layer = LayerSmoothing(*(np.ones(size, np.float32) for size in _sizes(config).values()))
    return Smoothing((layer,) * config.num_layers, np.ones(config.hidden_size, np.float32))


def save_smoothing(folder: Path, smoothing: Smoothing) -> None:
    tensors = {
        f"layers.{index}.{name}": value
        for index, layer in enumerate(smoothing.layers)
        for name, value in vars(layer).items()
    }
    save_file({**tensors, "head": smoothing.head}, folder / SMOOTHING_FILE)


def load_smoothing(folder: Path, config: ModelConfig) -> Smoothing:
    """The factors beside a checkpoint, or such as change nothing where there are none.

    Raises CheckpointError when the file is damaged or belongs to a model of another shape.
    """
    file = folder / SMOOTHING_FILE
    if not file.is_file():
        return identity(config)
    try:
        tensors = load_file(file)
    except safetensors.SafetensorError as error:
        raise CheckpointError(f"{file} is damaged ({error}); delete it or download it again") from error

    def read(key: str, size: int) -> Vector:
        value = tensors.get(key)
        if value is None or value.shape != (size,) or not (np.isfinite(value) & (value > 0)).all():
            raise CheckpointError(f"{file}: {key} should be {size} positive numbers; delete the file to go without it")
        return value.astype(np.float32)

    layers = (
        LayerSmoothing(*(read(f"layers.{index}.{name}", size) for name, size in _sizes(config).items()))
        for index in range(config.num_layers)
    )
    return Smoothing(tuple(layers), read("head", config.hidden_size))


def _sizes(config: ModelConfig) -> dict[str, int]:
    return {
        "qkv": config.hidden_size,
        "out": config.num_key_value_heads * config.head_dim,
        "gate_up": config.hidden_size,
        "down": config.intermediate_size,
    }
