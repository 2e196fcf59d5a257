"""A checkpoint as a GGUF file with Q8_0 matrices, for llama.cpp (format: github.com/ggml-org/ggml, docs/gguf.md)."""

# The package `gguf` comes with the extra `bench`, not with the checks.
# pyright: reportMissingImports=false

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt
import platformdirs

from coder.model.checkpoint import Checkpoint, expected_tensors

Q8_0_BLOCK = 32
"""Values that share a scale. A matrix whose rows cannot be cut into such blocks stays in float16."""


def cached_gguf(checkpoint: Checkpoint) -> Path:
    """The checkpoint's GGUF file in the user's cache folder, written when it is not there."""
    digest = hashlib.sha256(Path(__file__).read_bytes())  # another way of writing makes another file
    for source in sorted({tensor.file for tensor in checkpoint.stored.values()}):
        digest.update(source.read_bytes())
    file = platformdirs.user_cache_path("quickfill") / "gguf" / f"{digest.hexdigest()[:16]}-q8_0.gguf"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(f".{os.getpid()}")
        write_gguf(checkpoint, unfinished)
        unfinished.replace(file)
    return file


def write_gguf(checkpoint: Checkpoint, file: Path) -> None:
    """Write the dequantised weights as Q8_0, norms as float32, and the vocabulary."""
    writer = gguf.GGUFWriter(file, gguf.MODEL_ARCH_NAMES[gguf.MODEL_ARCH.LLAMA])
    _add_hyperparameters(writer, checkpoint)
    _add_vocabulary(writer, checkpoint)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, checkpoint.config.num_layers)
    for name in expected_tensors(checkpoint.config):
        values = _in_ggml_order(name, checkpoint.float_tensor(name), checkpoint.config.head_dim)
        kind = _storage(values)
        target = names.get_name(name, try_suffixes=(".weight",))
        assert target is not None
        writer.add_tensor(target, gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
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
    writer.add_layer_norm_rms_eps(config.norm_epsilon)
    writer.add_vocab_size(config.vocab_size)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)


def _add_vocabulary(writer: gguf.GGUFWriter, checkpoint: Checkpoint) -> None:
    """llama.cpp does not load a model without one; the benchmark itself passes ids."""
    tokenizer = json.loads(checkpoint.tokenizer_file.read_bytes())
    vocabulary = tokenizer["model"]["vocab"] | {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    by_id = {number: text for text, number in vocabulary.items()}
    control = set(checkpoint.config.control.all)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list([by_id.get(number, f"<unused {number}>") for number in range(checkpoint.config.vocab_size)])
    writer.add_token_types(
        [
            gguf.TokenType.CONTROL if number in control else gguf.TokenType.NORMAL
            for number in range(checkpoint.config.vocab_size)
        ]
    )
    writer.add_token_merges(
        [merge if isinstance(merge, str) else " ".join(merge) for merge in tokenizer["model"]["merges"]]
    )
    writer.add_bos_token_id(checkpoint.config.control.end_of_text)
    writer.add_eos_token_id(checkpoint.config.control.fim_end)


def _in_ggml_order(name: str, values: npt.NDArray[np.float32], head_dim: int) -> npt.NDArray[np.float32]:
    """Hugging Face rotates the halves of a head against each other, ggml neighbouring rows, so they are interleaved."""
    if not name.endswith(("q_proj.weight", "k_proj.weight")):
        return values
    rows, columns = values.shape
    halves = values.reshape(rows // head_dim, 2, head_dim // 2, columns)
    return halves.swapaxes(1, 2).reshape(rows, columns)


def _storage(values: npt.NDArray[np.float32]) -> gguf.GGMLQuantizationType:
    if values.ndim == 1:
        return gguf.GGMLQuantizationType.F32
    return gguf.GGMLQuantizationType.F16 if values.shape[1] % Q8_0_BLOCK else gguf.GGMLQuantizationType.Q8_0
