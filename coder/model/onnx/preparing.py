"""A checkpoint's matrices made ready for the ONNX graph: smoothed, quantised, transposed; once, then kept in a file.

A checkpoint whose matrices are not int8 already, or are to be smoothed, as those of the embedded model, takes long to
prepare. What comes out is kept in the user's cache folder, named by what it was made of, and mapped into memory from
then on.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import platformdirs

from coder.errors import CheckpointError
from coder.model.checkpoint.checkpoint import FIRST_LOCAL_TOKEN, LOCAL, Checkpoint, Quantized
from coder.model.checkpoint.config import ModelConfig
from coder.model.convert.smoothing import SMOOTHING_FILE, LayerSmoothing, load_smoothing
from coder.model.onnx.weights import (
    DecoderWeights,
    LayerWeights,
    Linear,
    LocalWeights,
    Norm,
    Vector,
    read_weights,
    write_weights,
)
from coder.model.remembered import sha256_of_contents

EMBEDDING = "model.embed_tokens.weight"

FORMAT = 2
"""Of the files; another one when what is in them changes."""

WORTH_KEEPING = 32 << 20
"""Bytes of weights from which on they are kept."""

MOST_KEPT = 3
"""Files in the folder, some 400 MB each for the embedded model; the one that was used longest ago gives way."""

Progress = Callable[[float], None]


def weights_of(
    checkpoint: Checkpoint, levels: int | None, progress: Progress = lambda share: None, threads: int = 1
) -> DecoderWeights:
    """Return the weights of a checkpoint, from the cache folder where they are kept; otherwise like `prepare`.

    A folder that cannot be written, or a full disk, costs the preparation each time, nothing else.
    """
    if levels is None or not _is_worth_keeping(checkpoint):
        return prepare(checkpoint, levels, progress, threads)
    file = kept_weights_folder() / f"{_identity(checkpoint, levels)}.safetensors"
    with contextlib.suppress(CheckpointError, OSError):
        kept = read_weights(file, checkpoint.config)
        os.utime(file)
        return kept
    prepared = prepare(checkpoint, levels, progress, threads)
    try:
        _keep(file, prepared)
        # Maps of the file instead of the arrays: memory that the system may take back.
        return read_weights(file, checkpoint.config)
    except (CheckpointError, OSError):
        return prepared


def kept_weights_folder() -> Path:
    return Path(platformdirs.user_cache_dir("quickfill")) / "weights"


def _is_worth_keeping(checkpoint: Checkpoint) -> bool:
    """Return whether matrices have to be dequantised, smoothed or rounded, and there are many of them."""
    matrices = [tensor for tensor in checkpoint.stored.values() if len(tensor.shape) == 2]
    size = sum(tensor.shape[0] * tensor.shape[1] for tensor in matrices)
    is_smoothed = (checkpoint.folder / SMOOTHING_FILE).is_file()
    return size > WORTH_KEEPING and (is_smoothed or any(tensor.dtype != "I8" for tensor in matrices))


def _identity(checkpoint: Checkpoint, levels: int) -> str:
    """Return a name for the weights by what they are made of: all files, the model's form, the number of levels."""
    files = {tensor.file for tensor in checkpoint.stored.values()} | set(checkpoint.adapters)
    smoothing = checkpoint.folder / SMOOTHING_FILE
    files |= {smoothing} if smoothing.is_file() else set()
    contents = sorted(map(sha256_of_contents, files))
    config = checkpoint.config
    form = [repr(config.layers), config.num_layers, config.tied_embeddings, config.local_width, config.control.mask]
    described = json.dumps([FORMAT, levels, contents, form])
    return hashlib.sha256(described.encode()).hexdigest()[:32]


def _keep(file: Path, weights: DecoderWeights) -> None:
    """Write the file, whole or not at all, and remove those that are too many. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(f".{os.getpid()}-{time.monotonic_ns()}")
    try:
        write_weights(unfinished, weights)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    kept = sorted(file.parent.glob("*.safetensors"), key=lambda one: one.stat().st_mtime, reverse=True)
    for old in kept[MOST_KEPT:]:
        with contextlib.suppress(OSError):  # Windows keeps what another process has mapped
            old.unlink()


def prepare(
    checkpoint: Checkpoint, levels: int | None, progress: Progress = lambda share: None, threads: int = 1
) -> DecoderWeights:
    """Return the weights of a checkpoint; of no matrix more than some rows for each thread are ever held in float32.

    Args:
        levels: the largest magnitude of a quantised weight (127: 8 bits, 63: 7 bits), or None to stay in float32.
        progress: told what share is done.
        threads: layers that are prepared at a time.
    """
    return Preparation(checkpoint, levels).weights(progress, threads)


class Preparation:
    """The way from a checkpoint's tensors to weights: smoothed, quantised a scale a row, transposed to [in, out]."""

    def __init__(self, checkpoint: Checkpoint, levels: int | None) -> None:
        self.checkpoint = checkpoint
        self.config: ModelConfig = checkpoint.config
        self.levels = levels
        self._smoothing = load_smoothing(checkpoint.folder, checkpoint.config)

    def weights(self, progress: Progress, threads: int) -> DecoderWeights:
        layers: list[LayerWeights] = []
        with ThreadPoolExecutor(threads) as pool:
            for layer in pool.map(self._layer, range(self.config.num_layers)):
                layers.append(layer)
                progress(len(layers) / (self.config.num_layers + 2))
        return DecoderWeights(
            self.config,
            self._matrix(EMBEDDING),
            self._linear(EMBEDDING if self.config.tied_embeddings else "lm_head.weight", self._smoothing.head),
            self._norm("model.norm", self._smoothing.head),
            tuple(layers),
            self._local() if self.config.local_width else None,
        )

    def _local(self) -> LocalWeights:
        inner, outer = (self._linear(f"{LOCAL}{name}", np.ones(1, np.float32)) for name in ("W1", "W2"))
        return LocalWeights(
            replace(inner, bias=self.checkpoint.float_tensor(f"{LOCAL}b1")),
            outer,
            np.array([1.0 / self._deviation_of_embeddings()], np.float32),
            self._norm("model.norm", np.ones(1, np.float32)),
            self._smoothing.head,
        )

    def _deviation_of_embeddings(self) -> float:
        """The standard deviation of those of ordinary tokens."""
        count, total, squares = 0, 0.0, 0.0
        for rows, values in self.checkpoint.chunks(EMBEDDING):
            ordinary = values[max(0, FIRST_LOCAL_TOKEN - rows.start) :]
            count += ordinary.size
            total += float(ordinary.sum(dtype=np.float64))
            squares += float(np.square(ordinary, dtype=np.float64).sum())
        return math.sqrt(squares / count - (total / count) ** 2)

    def _layer(self, index: int) -> LayerWeights:
        name, smoothing, form = f"model.layers.{index}", self._smoothing.layers[index], self.config.layers
        attention, network = f"{name}.self_attn", form.feed_forward
        # Only a product hands the factors of its one side on to the matrix before it.
        inner = np.ones(1, np.float32) if network.gate is None else smoothing.down
        queries, keys, values = (
            self._linear(f"{attention}.{kind}_proj.weight", smoothing.qkv, rows, bias=form.projection_bias)
            for kind, rows in (("q", None), ("k", None), ("v", 1.0 / smoothing.out))
        )

        def inward(matrix: str, rows: Vector | None = None) -> Linear:
            return self._linear(f"{name}.mlp.{matrix}.weight", smoothing.gate_up, rows, bias=form.feed_forward_bias)

        return LayerWeights(
            input_norm=self._norm(f"{name}.input_layernorm", smoothing.qkv),
            qkv=stacked([queries, keys, values]),
            out=self._linear(f"{attention}.o_proj.weight", self._every_query_head(smoothing), bias=form.output_bias),
            post_attention_norm=self._norm(f"{name}.post_attention_layernorm", smoothing.gate_up),
            gate=None if network.gate is None else inward(network.gate),
            up=inward(network.up, 1.0 / inner),
            down=self._linear(f"{name}.mlp.{network.down}.weight", inner, bias=form.feed_forward_bias),
        )

    def _norm(self, name: str, smoothing: Vector) -> Norm:
        """A norm whose output is divided by factors."""
        bias = None if self.config.layers.norm == "rms" else self.checkpoint.float_tensor(f"{name}.bias") / smoothing
        return Norm(self.checkpoint.float_tensor(f"{name}.weight") / smoothing, bias)

    def _every_query_head(self, smoothing: LayerSmoothing) -> Vector:
        """Factors of the values [key-value heads x head size], repeated for the query heads that read them."""
        heads = smoothing.out.reshape(self.config.num_key_value_heads, self.config.head_dim)
        return heads.repeat(self.config.num_heads // self.config.num_key_value_heads, axis=0).reshape(-1)

    def _linear(self, weight: str, columns: Vector, rows: Vector | None = None, bias: bool = False) -> Linear:
        """A linear layer with its columns and rows multiplied by factors, quantised and transposed.

        Args:
            bias: whether it has one, which is multiplied by the rows' factors.
        """
        matrix = self._matrix(weight, columns)
        factors = np.ones(1, np.float32) if rows is None else rows
        added = self.checkpoint.float_tensor(f"{weight.removesuffix('weight')}bias") * factors if bias else None
        if matrix.scale is not None:
            return Linear(np.ascontiguousarray(matrix.values.T), matrix.scale * factors, added)
        return Linear(np.ascontiguousarray((matrix.values * factors.reshape(-1, 1)).T), None, added)

    def _matrix(self, name: str, columns: Vector | None = None) -> Linear:
        """[out, in] with its columns multiplied by `columns`; values that already fit are kept as they are."""
        unchanged = columns is None or bool((columns == 1.0).all())
        stored, levels = self.checkpoint.stored[name], self.levels
        if stored.dtype == "I8" and unchanged and levels == 127:
            matrix = self.checkpoint.tensor(name)
            assert isinstance(matrix, Quantized)
            return Linear(matrix.values, matrix.scale)
        values = np.empty(stored.shape, np.float32 if levels is None else np.int8)
        largest = np.empty(stored.shape[0], np.float32)
        for rows, part in self.checkpoint.chunks(name):
            product = part * (np.float32(1.0) if columns is None else columns)
            if levels is not None:
                largest[rows] = np.maximum(np.maximum(product.max(axis=1), -product.min(axis=1)), 1e-12)
                product *= (levels / largest[rows])[:, None]
                np.rint(product, out=product)
            values[rows] = product
        return Linear(values, None if levels is None else largest / np.float32(levels))


def stacked(parts: list[Linear]) -> Linear:
    """Several linear layers [in, out] side by side."""
    values = np.concatenate([part.values for part in parts], axis=1)
    return Linear(values, _joined(part.scale for part in parts), _joined(part.bias for part in parts))


def _joined(vectors: Iterable[Vector | None]) -> Vector | None:
    """Vectors behind each other, where there are any."""
    there = [vector for vector in vectors if vector is not None]
    return np.concatenate(there) if there else None
