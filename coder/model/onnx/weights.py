"""A checkpoint's matrices as the ONNX graph wants them: smoothed, quantised a scale a row, transposed to [in, out]."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from coder.model.checkpoint.checkpoint import FIRST_LOCAL_TOKEN, LOCAL, Checkpoint, Quantized
from coder.model.checkpoint.config import ModelConfig
from coder.model.convert.smoothing import LayerSmoothing, load_smoothing

Vector = npt.NDArray[np.float32]
Values = npt.NDArray[np.int8 | np.float32]

EMBEDDING = "model.embed_tokens.weight"


@dataclass(frozen=True)
class Linear:
    """A matrix: int8 with a float32 scale an output channel, or float32 with none. Usually [in, out].

    `bias` [out] is added to its products.
    """

    values: Values
    scale: Vector | None
    bias: Vector | None = None


@dataclass(frozen=True)
class LayerWeights:
    """One decoder layer. Norms are float32 [hidden]; query, key and value rows are stacked in `qkv`."""

    input_norm: Vector
    qkv: Linear
    out: Linear
    post_attention_norm: Vector
    gate: Linear
    up: Linear
    down: Linear


@dataclass(frozen=True)
class LocalWeights:
    """The local autoregression, see `runtime.LocalStep`; `inner` has a bias.

    Attributes:
        embedding_scale: what brings the embeddings of ordinary tokens to a standard deviation of 1.
        final_norm: the decoder's last norm as it is; `head_smoothing` is what its states are divided by for the head.
    """

    inner: Linear
    outer: Linear
    embedding_scale: float
    final_norm: Vector
    head_smoothing: Vector


class DecoderWeights:
    """Prepares weights layer by layer, so that no more than one matrix is ever held in float32, and keeps them.

    Args:
        checkpoint: where they come from.
        levels: the largest magnitude of a quantised weight (127: 8 bits, 63: 7 bits), or None to stay in float32.
    """

    def __init__(self, checkpoint: Checkpoint, levels: int | None) -> None:
        self.checkpoint = checkpoint
        self.config: ModelConfig = checkpoint.config
        self.levels = levels
        self._smoothing = load_smoothing(checkpoint.folder, checkpoint.config)

    @property
    def quantized(self) -> bool:
        return self.levels is not None

    @cached_property
    def embedding(self) -> Linear:
        """The table [vocabulary, hidden], one scale a token."""
        return self._quantize(self.checkpoint.tensor(EMBEDDING))

    @cached_property
    def head(self) -> Linear:
        name = EMBEDDING if self.config.tied_embeddings else "lm_head.weight"
        return self._linear(name, self._smoothing.head)

    @cached_property
    def final_norm(self) -> Vector:
        return self.checkpoint.float_tensor("model.norm.weight") / self._smoothing.head

    @cached_property
    def local(self) -> LocalWeights:
        """Only where the checkpoint has a local autoregression."""
        inner, outer = (self._linear(f"{LOCAL}{name}", np.ones(1, np.float32)) for name in ("W1", "W2"))
        return LocalWeights(
            replace(inner, bias=self.checkpoint.float_tensor(f"{LOCAL}b1")),
            outer,
            1.0 / float(self.checkpoint.float_tensor(EMBEDDING)[FIRST_LOCAL_TOKEN:].std()),
            self.checkpoint.float_tensor("model.norm.weight"),
            self._smoothing.head,
        )

    @cached_property
    def layers(self) -> list[LayerWeights]:
        return [self._layer(index) for index in range(self.config.num_layers)]

    def _layer(self, index: int) -> LayerWeights:
        name, smoothing = f"model.layers.{index}", self._smoothing.layers[index]
        projection = f"{name}.self_attn"
        queries, keys, values = (
            self._linear(f"{projection}.{kind}_proj.weight", smoothing.qkv, rows)
            for kind, rows in (("q", None), ("k", None), ("v", 1.0 / smoothing.out))
        )
        return LayerWeights(
            input_norm=self.checkpoint.float_tensor(f"{name}.input_layernorm.weight") / smoothing.qkv,
            qkv=replace(stacked([queries, keys, values]), bias=self._projection_bias(projection, smoothing)),
            out=self._linear(f"{projection}.o_proj.weight", self._every_query_head(smoothing)),
            post_attention_norm=self.checkpoint.float_tensor(f"{name}.post_attention_layernorm.weight")
            / smoothing.gate_up,
            gate=self._linear(f"{name}.mlp.gate_proj.weight", smoothing.gate_up),
            up=self._linear(f"{name}.mlp.up_proj.weight", smoothing.gate_up, 1.0 / smoothing.down),
            down=self._linear(f"{name}.mlp.down_proj.weight", smoothing.down),
        )

    def _projection_bias(self, projection: str, smoothing: LayerSmoothing) -> Vector | None:
        """Biases of queries, keys and values behind each other; those of the values are smoothed with their rows."""
        if not self.config.projection_bias:
            return None
        queries, keys, values = (self.checkpoint.float_tensor(f"{projection}.{kind}_proj.bias") for kind in "qkv")
        return np.concatenate([queries, keys, values / smoothing.out])

    def _every_query_head(self, smoothing: LayerSmoothing) -> Vector:
        """Factors of the values [key-value heads x head size], repeated for the query heads that read them."""
        heads = smoothing.out.reshape(self.config.num_key_value_heads, self.config.head_dim)
        return heads.repeat(self.config.num_heads // self.config.num_key_value_heads, axis=0).reshape(-1)

    def _linear(self, name: str, columns: Vector, rows: Vector | None = None) -> Linear:
        """The matrix with its columns and rows multiplied by factors, quantised and transposed."""
        matrix = self._quantize(self.checkpoint.tensor(name), columns)
        if rows is not None:
            matrix = (
                Linear(matrix.values * rows[:, None], None)
                if matrix.scale is None
                else Linear(matrix.values, matrix.scale * rows)
            )
        return Linear(transposed(matrix.values), matrix.scale)

    def _quantize(self, matrix: Quantized | npt.NDArray[np.float32], columns: Vector | None = None) -> Linear:
        """[out, in] with its columns multiplied by `columns`; values that already fit are kept as they are."""
        unchanged = columns is None or bool((columns == 1.0).all())
        if isinstance(matrix, Quantized) and unchanged and self.levels == 127:
            return Linear(matrix.values, matrix.scale)
        values, scale = (matrix.values, matrix.scale) if isinstance(matrix, Quantized) else (matrix, None)
        product = values.astype(np.float32) if columns is None else values * columns
        if self.levels is None:
            return Linear(product if scale is None else product * scale[:, None], None)
        largest = np.maximum(np.maximum(product.max(axis=1), -product.min(axis=1)), 1e-12)
        product *= (self.levels / largest)[:, None]
        quantized = np.rint(product, out=product).astype(np.int8)
        step = (largest / self.levels).astype(np.float32)
        return Linear(quantized, step if scale is None else step * scale)


def transposed(values: Values) -> Values:
    return np.ascontiguousarray(values.T)


def stacked(parts: list[Linear]) -> Linear:
    """Several [in, out] matrices side by side."""
    scales = [part.scale for part in parts if part.scale is not None]
    values = np.concatenate([part.values for part in parts], axis=1)
    return Linear(values, np.concatenate(scales) if scales else None)
