"""The ONNX runtime's key-value cache."""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt
import onnxruntime

from coder.errors import InputError
from coder.model.checkpoint.config import ModelConfig

FIRST_CAPACITY = 512
"""Positions a new cache has room for; it doubles when they are used up."""


class OnnxCache:
    """Keys and values, float32 [1, key-value heads, capacity, head size] a layer."""

    def __init__(self, config: ModelConfig, capacity: int = FIRST_CAPACITY) -> None:
        self._config = config
        self._tokens: list[int] = []
        self._allocate(capacity)

    @property
    def tokens(self) -> list[int]:
        return self._tokens

    @property
    def nbytes(self) -> int:
        return sum(buffer.nbytes for buffer in self._buffers)

    def truncate(self, length: int) -> None:
        del self._tokens[length:]

    def copy_prefix(self, length: int) -> OnnxCache:
        copy = OnnxCache(self._config, self._capacity)
        copy._tokens = self._tokens[:length]
        copy._copy_from(self._buffers, length)
        return copy

    def reserve(self, length: int) -> None:
        """Make room for `length` positions and a spare one.

        Raises InputError beyond the model's last position.
        """
        if length > self._config.max_positions:
            raise InputError(
                f"{length} tokens are more than the model's {self._config.max_positions}; shorten the context"
            )
        if length >= self._capacity:
            old = self._buffers
            self._allocate(min(max(length, 2 * self._capacity), self._config.max_positions) + 1)
            self._copy_from(old, len(self._tokens))

    def bind(self, binding: onnxruntime.IOBinding, sequence: int) -> None:
        """Let a graph read and write the buffers as those of one of its sequences."""
        for (kind, layer), value in self._values.items():
            binding.bind_ortvalue_input(f"past_{kind}_{sequence}_{layer}", value)
            binding.bind_ortvalue_output(f"present_{kind}_{sequence}_{layer}", value)

    def _copy_from(self, buffers: list[npt.NDArray[np.float32]], length: int) -> None:
        """The first `length` positions of another cache's buffers."""
        for target, source in zip(self._buffers, buffers, strict=True):
            target[:, :, :length] = source[:, :, :length]

    def _allocate(self, capacity: int) -> None:
        config, self._capacity = self._config, capacity
        shape = 1, config.num_key_value_heads, capacity, config.head_dim
        keys = list(product(("key", "value"), range(config.num_layers)))
        self._buffers = [np.zeros(shape, np.float32) for _ in keys]
        values = map(onnxruntime.OrtValue.ortvalue_from_numpy, self._buffers)
        self._values = dict(zip(keys, values, strict=True))
