"""A tiny random checkpoint: real in every respect but its size and its wits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import safetensors.numpy
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from coder.model.checkpoint.architectures import ARCHITECTURES
from coder.model.checkpoint.checkpoint import Checkpoint, expected_tensors
from coder.model.checkpoint.config import ModelConfig
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.checkpoint.tokens import Tokenizer as QuickfillTokenizer

SPECIAL_TOKENS = [
    "<|endoftext|>",
    "<|mask|>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<|hole|>",
    "<|cursor|>",
    "<|edit_before|>",
    "<|edit_after|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|reserved_0|>",
    "<|reserved_1|>",
]
"""In the order of their ids, as the embedded checkpoint has them."""

CORPUS = [
    "def add(first, second):\n    return first + second\n",
    "for index in range(10):\n    print(index)\n",
    "class Point:\n    def __init__(self, x, y):\n        self.x = x\n        self.y = y\n",
]


def write_tiny_tokenizer(file: Path, special_tokens: Sequence[str] = SPECIAL_TOKENS) -> int:
    """Write a byte-level BPE: the special tokens first, all 256 bytes and some merges. Return how many ids it has."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        min_frequency=1,
        show_progress=False,
        special_tokens=[AddedToken(text, special=True) for text in special_tokens],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.save(str(file))
    return tokenizer.get_vocab_size()


def tiny_settings(
    vocab_size: int,
    tied: bool = True,
    head_dim: int = 16,
    architecture: str = "llama",
    local_width: int = 0,
    abilities: Sequence[str] = (),
) -> dict[str, object]:
    """The `config.json` of a tiny checkpoint."""
    return {
        "architectures": [ARCHITECTURES[architecture].class_name],
        "model_type": architecture,
        # llama.cpp takes it for granted that all heads are together as wide as the hidden states, but for Llama's.
        "hidden_size": 32 if architecture == "llama" else 4 * head_dim,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": head_dim,
        "vocab_size": vocab_size,
        "max_position_embeddings": 512,
        "rope_theta": 10000.0,
        ARCHITECTURES[architecture].epsilon: 1e-5,
        "hidden_act": ARCHITECTURES[architecture].feed_forward.activation,
        "tie_word_embeddings": tied,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "torch_dtype": "float32",
        "quickfill": {
            "version": "tiny",
            "mask_token_id": SPECIAL_TOKENS.index("<|mask|>"),
            "fim_prefix_id": SPECIAL_TOKENS.index("<|fim_prefix|>"),
            "fim_suffix_id": SPECIAL_TOKENS.index("<|fim_suffix|>"),
            "fim_end_id": SPECIAL_TOKENS.index("<|endoftext|>"),
            "hole_id": SPECIAL_TOKENS.index("<|hole|>"),
            "shift": True,
            "block_sizes": [4, 8],
            "abilities": dict.fromkeys(abilities, True),
            **({"local_width": local_width} if local_width else {}),
        },
    }


def write_tiny_checkpoint(
    folder: Path,
    quantized: bool = False,
    tied: bool = True,
    seed: int = 0,
    head_dim: int = 16,
    architecture: str = "llama",
    local_width: int = 0,
    abilities: Sequence[str] = (),
    **fields: object,
) -> Path:
    """Write a tiny checkpoint into `folder` (made if needed) and return it: float32, or int8 with a scale a row.

    `local_width` gives it a local autoregression; `fields` are others of its `config.json`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_tiny_tokenizer(folder / "tokenizer.json")
    tokenizer = QuickfillTokenizer(folder / "tokenizer.json")
    settings = tiny_settings(len(tokenizer.ids), tied, head_dim, architecture, local_width, abilities) | fields
    (folder / "config.json").write_text(json.dumps(settings, indent=2), encoding="utf-8")
    tensors = random_tensors(ModelConfig.from_json(settings, tokenizer.control), seed)
    safetensors.numpy.save_file(quantize(tensors) if quantized else tensors, folder / "model.safetensors")
    return folder


def random_tensors(config: ModelConfig, seed: int) -> dict[str, np.ndarray]:
    """Float32 parameters, scaled so that attention is uneven and predictions differ from place to place."""
    random = np.random.default_rng(seed)
    tensors = {}
    for name, shape in expected_tensors(config).items():
        spread = 0.1 if len(shape) == 1 else 1.5 / np.sqrt(shape[1])
        tensors[name] = (random.standard_normal(shape) * spread + (len(shape) == 1)).astype(np.float32)
    return tensors


def quantize(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Matrices as int8 `[out, in]` beside a float32 `<name>_scale` `[out]`."""
    quantized = {}
    for name, values in tensors.items():
        if values.ndim == 1:
            quantized[name] = values
            continue
        scale = np.abs(values).max(axis=1) / 127
        quantized[name] = np.round(values / scale[:, None]).astype(np.int8)
        quantized[f"{name}_scale"] = scale
    return quantized


def open_tiny_checkpoint(folder: Path, quantized: bool = False, tied: bool = True, seed: int = 0) -> Checkpoint:
    """Write a tiny checkpoint into `folder` and open it."""
    return open_checkpoint(str(write_tiny_checkpoint(folder, quantized, tied, seed)))
