"""The inputs and results of the ONNX graph for the passes of one or several sequences, and the caches it reads."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from coder.errors import InputError
from coder.model.checkpoint.config import ControlTokens, ModelConfig
from coder.model.onnx.layers import ACTIVATION_ZERO
from coder.model.runtime import CANDIDATES, LocalStep, Pass, Predictions, TokenBias

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
        """Copy the first `length` positions of another cache's buffers."""
        for target, source in zip(self._buffers, buffers, strict=True):
            target[:, :, :length] = source[:, :, :length]

    def _allocate(self, capacity: int) -> None:
        config, self._capacity = self._config, capacity
        shape = 1, config.num_key_value_heads, capacity, config.head_dim
        keys = list(product(("key", "value"), range(config.num_layers)))
        self._buffers = [np.zeros(shape, np.float32) for _ in keys]
        values = map(onnxruntime.OrtValue.ortvalue_from_numpy, self._buffers)
        self._values = dict(zip(keys, values, strict=True))


HIDDEN_FROM = np.float32(-1e9)
"""Added to an attention score or a logit that must not count."""

Array = npt.NDArray[np.generic]


def joint_inputs(passes: Sequence[Pass], quantized: bool) -> dict[str, Array]:
    """Return the inputs that all sequences share: their positions and wanted predictions are concatenated."""
    widths = np.array([len(request.tokens) for request in passes])
    wanted = [index for request, first in zip(passes, _starts(widths), strict=True) for index in first + request.wanted]
    # Among the rows of all attentions, those of a sequence of one position have a spare one behind them.
    attended = [first + np.arange(width) for first, width in zip(_starts(np.maximum(widths, 2)), widths, strict=True)]
    inputs: dict[str, Array] = {
        "tokens": np.concatenate([np.asarray(request.tokens, np.int64) for request in passes]),
        "attended_rows": np.concatenate(attended),
        "wanted": np.array(wanted, np.int64),
    }
    if quantized:
        inputs["row_zeros"] = np.full((1, widths.sum(), 1), ACTIVATION_ZERO, np.uint8)
    return inputs


def local_inputs(step: LocalStep, quantized: bool) -> dict[str, Array]:
    """Return the inputs of the local autoregression's graph."""
    before = np.array(step.before, np.int64).reshape(-1, 2).T
    inputs: dict[str, Array] = {
        "states": np.ascontiguousarray(step.states[None]),
        "before": np.ascontiguousarray(before),
    }
    return inputs | _wanted_zeros(step.count, quantized)


def head_inputs(outputs: Array, requests: Sequence[Pass | LocalStep], quantized: bool) -> dict[str, Array]:
    """Return the inputs of the head's graph, but for `control_bias` and the biases."""
    given = [
        token for request in requests for token in ([0] * request.count if request.given is None else request.given)
    ]
    inputs: dict[str, Array] = {"outputs": outputs, "given": np.array(given, np.int64).reshape(1, len(given), 1)}
    return inputs | _wanted_zeros(len(given), quantized)


def _wanted_zeros(wanted: int, quantized: bool) -> dict[str, Array]:
    return {"wanted_zeros": np.full((1, wanted, 1), ACTIVATION_ZERO, np.uint8)} if quantized else {}


def sequence_inputs(
    sequence: int, first: int, cached: int, request: Pass, window: int | None = None
) -> dict[str, Array]:
    """Return the inputs of one sequence of a graph, whose positions start at `first` among all new ones.

    Args:
        window: of sliding attention, see `AttentionPattern`.
    """
    # A single row takes other float kernels in the attention, whose last bit differs, and quantisation makes that
    # visible. From two rows on every width gives the same bits, so a single one gets a spare one behind it.
    new = len(request.tokens)
    rows = max(new, 2)
    total = cached + rows
    return {
        f"rows_{sequence}": first + np.arange(rows) % new,
        f"positions_{sequence}": np.arange(cached, total)[None],
        f"attention_bias_{sequence}": attention_bias(cached, rows, request.causal or new == 1, window),
        f"last_position_{sequence}": np.array([total - 1], np.int32),
        f"total_length_{sequence}": np.array([total], np.int32),
    }


def attention_bias(cached: int, new: int, causal: bool, window: int | None = None) -> npt.NDArray[np.float32]:
    """Return float32 [1, 1, new, cached + new]: 0 where a new position may attend, a large negative one elsewhere."""
    bias = np.zeros((1, 1, new, cached + new), np.float32)
    if causal and new > 1:
        bias[0, 0, :, cached:] = np.triu(np.full((new, new), HIDDEN_FROM), 1)
    if window is not None and cached + new > window:
        positions = np.arange(cached + new)
        bias[0, 0, positions <= positions[cached:, None] - window] = HIDDEN_FROM
    return bias


def token_bias(passes: Sequence[Pass | LocalStep], control: ControlTokens, allowed: Sequence[int]) -> dict[str, Array]:
    """Return the biases of all passes. A pass that may predict fewer control tokens than are `allowed` gets one against
    each of the others."""
    counts = [request.count for request in passes]
    bias = TokenBias.none()
    for request, first, count in zip(passes, _starts(counts), counts, strict=True):
        forbidden = [token for token in allowed if token in control.all and token not in request.control_tokens]
        rows = np.repeat(np.arange(count), len(forbidden))
        values = np.full(len(rows), HIDDEN_FROM, np.float32)
        against = TokenBias(rows, np.tile(np.array(forbidden, np.int64), count), values)
        both = request.bias.joined(against) if forbidden else request.bias
        bias = bias.joined(TokenBias(both.rows + first, both.tokens, both.values))
    return {
        "bias_indices": np.stack([np.zeros_like(bias.rows), bias.rows, bias.tokens], axis=1),
        "bias_values": bias.values,
    }


def prediction_results(wanted: int) -> dict[str, npt.NDArray[Any]]:
    """Return arrays for the head to write predictions into."""
    return {
        "top_tokens": np.empty((1, wanted, CANDIDATES), np.int64),
        "top_probabilities": np.empty((1, wanted, CANDIDATES), np.float32),
        "entropy": np.empty((1, wanted, 1), np.float32),
        "log_probability": np.empty((1, wanted, 1), np.float32),
    }


def split_results(
    results: dict[str, npt.NDArray[Any]],
    passes: Sequence[Pass] | Sequence[LocalStep],
    states: npt.NDArray[np.float32] | None = None,
) -> list[Predictions]:
    """Return the predictions of each pass, with those of the states [1, W, hidden] where it wants them."""
    counts = [request.count for request in passes]
    predictions = []
    for request, first, count in zip(passes, _starts(counts), counts, strict=True):
        mine = {name: value[0, first : first + count] for name, value in results.items()}
        probabilities = mine["top_probabilities"]
        given = np.log(probabilities[:, 0]) if request.given is None else mine["log_probability"][:, 0]
        own = None
        if states is not None and isinstance(request, Pass) and request.states:
            own = states[0, first : first + count]
        predictions.append(Predictions(mine["top_tokens"], probabilities, mine["entropy"][:, 0], given, own))
    return predictions


def _starts(sizes: Sequence[int] | npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the start of each of several parts that lie behind each other."""
    return np.cumsum([0, *sizes])[:-1]
