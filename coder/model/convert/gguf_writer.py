"""A checkpoint as a GGUF file, for llama.cpp and what is built on it (format: github.com/ggml-org/ggml, docs/gguf.md).

Needs the package `gguf`, which the extra `convert` brings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt

from coder.model.checkpoint.checkpoint import Checkpoint, expected_tensors
from coder.model.checkpoint.gguf_names import interleaved, is_interleaved, to_gguf
from coder.model.convert.checkpoint_writer import Precision
from coder.model.convert.gguf_reader import SETTINGS_KEY
from coder.model.convert.gguf_tokenizer import add_vocabulary

Q8_0_BLOCK = 32
"""Values that share a scale. A matrix whose rows cannot be cut into such blocks stays in float16."""

FILE_TYPES = {
    "int8": gguf.LlamaFileType.MOSTLY_Q8_0,
    "bf16": gguf.LlamaFileType.MOSTLY_BF16,
    "f32": gguf.LlamaFileType.ALL_F32,
}


def write_gguf(
    checkpoint: Checkpoint, file: Path, precision: Precision = "int8", settings: Mapping[str, Any] | None = None
) -> None:
    """Write the weights, the vocabulary and the settings, one tensor in memory at a time.

    Args:
        precision: of the matrices, `int8` being Q8_0; norms are float32.
        settings: the `quickfill` settings of `config.json`.
    """
    architecture, network = checkpoint.config.architecture, checkpoint.config.layers.feed_forward
    writer = gguf.GGUFWriter(file, architecture)
    _add_hyperparameters(writer, checkpoint)
    add_vocabulary(writer, checkpoint)
    writer.add_file_type(FILE_TYPES[precision])
    if settings is not None:
        writer.add_string(SETTINGS_KEY, json.dumps(settings))
    # llama.cpp refuses tensors that it does not know, so the local autoregression stays behind.
    shapes = expected_tensors(replace(checkpoint.config, local_width=0))
    for name, shape in shapes.items():
        kind = _storage(shape, precision)
        stored_shape = gguf.quants.quant_shape_to_byte_shape(shape, kind)
        writer.add_tensor_info(
            to_gguf(name, network), stored_shape, np.dtype(np.uint8), int(np.prod(stored_shape)), kind
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for name, shape in shapes.items():
        values = checkpoint.float_tensor(name)
        if is_interleaved(name, architecture):
            values = interleaved(values, checkpoint.config.head_dim)
        writer.write_tensor_data(_encoded(values, _storage(shape, precision)))
    writer.close()


def _add_hyperparameters(writer: gguf.GGUFWriter, checkpoint: Checkpoint) -> None:
    config = checkpoint.config
    writer.add_context_length(config.max_positions)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_theta)
    if config.layers.norm == "rms":
        writer.add_layer_norm_rms_eps(config.norm_epsilon)
    else:
        writer.add_layer_norm_eps(config.norm_epsilon)
    if config.attention.window is not None:
        writer.add_sliding_window(config.attention.window)
    writer.add_vocab_size(config.vocab_size)


def _encoded(values: npt.NDArray[np.float32], kind: gguf.GGMLQuantizationType) -> npt.NDArray[np.generic]:
    return np.ascontiguousarray(gguf.quants.quantize(np.ascontiguousarray(values), kind))


def _storage(shape: tuple[int, ...], precision: Precision) -> gguf.GGMLQuantizationType:
    if len(shape) == 1 or precision == "f32":
        return gguf.GGMLQuantizationType.F32
    if precision == "bf16":
        return gguf.GGMLQuantizationType.BF16
    return gguf.GGMLQuantizationType.F16 if shape[1] % Q8_0_BLOCK else gguf.GGMLQuantizationType.Q8_0
