"""Checkpoints written in the format that `coder.model.checkpoint.checkpoint` reads, one tensor in memory at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from coder.model.checkpoint.checkpoint import Checkpoint, Quantized, expected_tensors
from coder.model.checkpoint.stored_tensors import TensorHeader, to_bfloat16, write_tensors
from coder.model.convert.smoothing import SMOOTHING_FILE

Precision = Literal["int8", "bf16", "f32"]

SHARD_BYTES = 2_000_000_000
"""A file of weights ends before it grows beyond this, unless one tensor alone is larger."""

QUANTIZATION = {"weights": "int8", "scale": "per output row", "suffix": "_scale"}


def write_checkpoint(
    checkpoint: Checkpoint,
    settings: Mapping[str, Any],
    folder: Path,
    precision: Precision,
) -> None:
    """Write a checkpoint into `folder`, which exists.

    In float it is one that stock `transformers` loads as a `LlamaForCausalLM`, `quickfill` settings or not.

    Args:
        settings: its `config.json`.
        precision: of the matrices, and of the norms too in a float format; beside int8 these stay float32.
    """
    (folder / "config.json").write_text(json.dumps(_settings(settings, precision), indent=2) + "\n", encoding="utf-8")
    (folder / "tokenizer.json").write_bytes(checkpoint.tokenizer_file.read_bytes())
    end_of_text = checkpoint.tokenizer.special_text(checkpoint.config.control.end_of_text)
    tokenizer_settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": end_of_text,
        "eos_token": end_of_text,
        "model_max_length": checkpoint.config.max_positions,
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer_settings, indent=2) + "\n", encoding="utf-8")
    smoothing = checkpoint.folder / SMOOTHING_FILE
    if smoothing.is_file():  # it folds away, so it fits the same weights in any format
        (folder / SMOOTHING_FILE).write_bytes(smoothing.read_bytes())
    _write_shards(checkpoint, folder, precision)


def quantized(values: Quantized | npt.NDArray[np.float32]) -> Quantized:
    """A matrix in int8, one scale an output row, symmetric; one that is already is left as it is."""
    if isinstance(values, Quantized):
        return values
    scale = np.maximum(np.abs(values).max(axis=1), 1e-12).astype(np.float32) / np.float32(127)
    return Quantized(np.rint(values / scale[:, None]).astype(np.int8), scale)


def _settings(settings: Mapping[str, Any], precision: Precision) -> dict[str, Any]:
    """`config.json` for another precision."""
    ours = {name: value for name, value in settings["quickfill"].items() if name != "quantization"}
    if precision == "int8":
        ours["quantization"] = QUANTIZATION
    kept = {name: value for name, value in settings.items() if name not in ("dtype", "torch_dtype", "quickfill")}
    return {**kept, "torch_dtype": "float32" if precision == "f32" else "bfloat16", "quickfill": ours}


def _write_shards(checkpoint: Checkpoint, folder: Path, precision: Precision) -> None:
    shards = _shards(checkpoint, precision)
    files = [f"model-{number:05}-of-{len(shards):05}.safetensors" for number in range(1, len(shards) + 1)]
    if len(shards) == 1:
        files = ["model.safetensors"]
    for file, headers in zip(files, shards, strict=True):
        write_tensors(folder / file, headers, _values(checkpoint, headers, precision))
    if len(shards) > 1:
        index = {
            "metadata": {"total_size": sum(header.nbytes for headers in shards for header in headers)},
            "weight_map": {
                header.name: file for file, headers in zip(files, shards, strict=True) for header in headers
            },
        }
        (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def _shards(checkpoint: Checkpoint, precision: Precision) -> list[list[TensorHeader]]:
    """Return the tensors of each file. A matrix and its scale are never parted."""
    shards: list[list[TensorHeader]] = [[]]
    for name, shape in expected_tensors(checkpoint.config).items():
        headers = _headers(name, shape, precision)
        size = sum(header.nbytes for header in (*shards[-1], *headers))
        if shards[-1] and size > SHARD_BYTES:
            shards.append([])
        shards[-1] += headers
    return shards


def _headers(name: str, shape: tuple[int, ...], precision: Precision) -> list[TensorHeader]:
    if precision != "int8":
        return [TensorHeader(name, "BF16" if precision == "bf16" else "F32", shape)]
    if len(shape) == 1:
        return [TensorHeader(name, "F32", shape)]
    return [TensorHeader(name, "I8", shape), TensorHeader(f"{name}_scale", "F32", shape[:1])]


def _values(
    checkpoint: Checkpoint, headers: list[TensorHeader], precision: Precision
) -> Iterator[npt.NDArray[np.generic]]:
    """The values of each header, in their order."""
    for header in headers:
        match header.dtype:
            case "I8":
                matrix = quantized(checkpoint.tensor(header.name))
                yield matrix.values
                yield matrix.scale
            case "BF16":
                yield to_bfloat16(checkpoint.float_tensor(header.name))
            case _ if not header.name.endswith("_scale"):
                yield checkpoint.float_tensor(header.name)
