"""Small random models of every family that fills in the middle, as folders that `transformers` reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers

from coder.model.checkpoint.infilling_tokens import FAMILIES, InfillingFamily, open_tokenizer
from coder.model.checkpoint.tokens import CONTROL_TEXTS
from tests.tiny import write_tiny_tokenizer

SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}

CONFIGS = {
    "Qwen2.5-Coder": lambda size: transformers.Qwen2Config(**SIZES, vocab_size=size, tie_word_embeddings=True),
    "Granite 4": lambda size: transformers.GraniteConfig(
        **SIZES, vocab_size=size, logits_scaling=2.0, embedding_multiplier=3.0
    ),
    "StarCoder2": lambda size: transformers.Starcoder2Config(**SIZES, vocab_size=size, use_bias=True),
    "Granite Code": lambda size: transformers.LlamaConfig(**SIZES, vocab_size=size, attention_bias=True, mlp_bias=True),
    "DeepSeek-Coder": lambda size: transformers.LlamaConfig(**SIZES, vocab_size=size, tie_word_embeddings=False),
}
"""A configuration of each family, with what sets its architecture apart."""


def family(name: str) -> InfillingFamily:
    return next(one for one in FAMILIES if one.name == name)


def special_tokens(family: InfillingFamily) -> list[str]:
    """A tokenizer of the family has these; the mask's only where the family has one."""
    texts = [family.end, family.begin, family.prefix, family.suffix, family.middle, family.repository, family.file]
    texts += [family.turn_start, family.turn_end, *family.masks[1:]]
    return list(dict.fromkeys(text for text in texts if text))


def write_model(folder: Path, name: str = "Qwen2.5-Coder", seed: int = 0) -> Path:
    """A random model of a family, with some rows of its embedding that stand for nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    size = write_tiny_tokenizer(folder / "tokenizer.json", special_tokens(family(name)))
    torch.manual_seed(seed)
    transformers.AutoModelForCausalLM.from_config(CONFIGS[name](size + 6)).save_pretrained(folder)
    return folder


def write_checkpoint(folder: Path) -> Path:
    """A random checkpoint of this project."""
    folder.mkdir(parents=True, exist_ok=True)
    size = write_tiny_tokenizer(folder / "tokenizer.json", list(dict.fromkeys(CONTROL_TEXTS.values())))
    torch.manual_seed(0)
    # Heads of 16, which ONNX Runtime needs.
    shape = {**SIZES, "hidden_size": 64, "vocab_size": size, "tie_word_embeddings": True}
    transformers.AutoModelForCausalLM.from_config(transformers.Qwen2Config(**shape)).save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    _, tokens = open_tokenizer(folder / "tokenizer.json", size)
    config["quickfill"] = {
        "version": "random",
        "mask_token_id": tokens.mask,
        "shift": True,
        "block_sizes": [4, 8],
        "abilities": {"holes": False, "edits": False, "correction": False, "context": False},
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder
