"""The model that training begins with, as a model of `transformers`, in the format that products are computed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from coder.errors import CheckpointError
from coder.model.checkpoint.adapter import fingerprint
from coder.model.checkpoint.checkpoint import Checkpoint, assemble, weight_tensors
from coder.model.checkpoint.json_file import read_json
from coder.model.checkpoint.opening import WITH_ADAPTER, find_checkpoint, open_checkpoint
from coder.model.checkpoint.tokens import Tokenizer
from coder.train.attention import NAME
from coder.train.infilling_tokens import InfillingTokens, open_tokenizer

DROPOUTS = ("attention_dropout", "residual_dropout", "embedding_dropout", "attn_pdrop", "resid_pdrop", "embd_pdrop")
"""Off: the canvases bring noise enough."""


@dataclass(frozen=True)
class Base:
    """Attributes:
    folder: where it was found. settings: its `config.json`.
    model: a causal language model of `transformers`, frozen.
    tokenizer, tokens: its tokenizer and control tokens.
    checkpoint: the same as this project reads it; None for another's.
    """

    folder: Path
    settings: Mapping[str, Any]
    model: Any
    tokenizer: Tokenizer
    tokens: InfillingTokens
    checkpoint: Checkpoint | None = None

    @property
    def fingerprint(self) -> str:
        """Of its weights, as an adapter's file has it."""
        return "of no checkpoint of this project" if self.checkpoint is None else fingerprint(self.checkpoint)

    @property
    def canvas_sizes(self) -> tuple[int, ...]:
        """Those that a checkpoint of this project knows; else none."""
        return tuple(self.settings.get("quickfill", {}).get("block_sizes", ()))


def open_base(init: str, dtype: torch.dtype, adapted: bool = False) -> Base:
    """Open a checkpoint of this project, or any folder or hub id that `transformers` reads.

    Args:
        adapted: with the adapter that the checkpoint's `config.json` names; else the base alone.

    Raises CheckpointError where it cannot be read, or its tokenizer has no tokens for filling in the middle.
    """
    folder = find_checkpoint(init.partition(WITH_ADAPTER)[0])
    settings = read_json(folder / "config.json")
    if "quickfill" in settings:
        if adapted or WITH_ADAPTER in init:
            checkpoint = open_checkpoint(init)
        else:
            checkpoint = assemble(folder, settings, folder / "tokenizer.json", weight_tensors(folder))
        model = _from_checkpoint(checkpoint, dtype)
    else:
        checkpoint, model = None, _from_transformers(folder, dtype)
    tokenizer, tokens = open_tokenizer(folder / "tokenizer.json", model.get_input_embeddings().weight.shape[0])
    return Base(folder, settings, model.requires_grad_(False), tokenizer, tokens, checkpoint)


def _from_checkpoint(checkpoint: Checkpoint, dtype: torch.dtype) -> Any:
    """Fill a model with a checkpoint's tensors, dequantised, one after the other."""
    config = transformers.AutoConfig.from_pretrained(checkpoint.folder)
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(_prepared(config), dtype=dtype)
    model.to_empty(device="cpu")
    model.tie_weights()
    # Buffers, rotary frequencies among them, are computed; `to_empty` left them without values.
    model.model.rotary_emb = type(model.model.rotary_emb)(config=config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.tensor(checkpoint.float_tensor(name)))
    return model


def _from_transformers(folder: Path, dtype: torch.dtype) -> Any:
    try:
        config = _prepared(transformers.AutoConfig.from_pretrained(folder))
        return transformers.AutoModelForCausalLM.from_pretrained(
            folder, config=config, dtype=dtype, use_safetensors=True
        )
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(f"{folder} cannot be read as a causal language model: {error}") from error


def _prepared(config: Any) -> Any:
    for name in DROPOUTS:
        if hasattr(config, name):
            setattr(config, name, 0.0)
    config.use_cache = False
    config._attn_implementation = NAME
    return config
