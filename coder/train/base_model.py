"""The model that training begins with, as a model of `transformers`, in the format that products are computed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch
import transformers

from coder.errors import CheckpointError
from coder.model.checkpoint.adapter import fingerprint_of
from coder.model.checkpoint.checkpoint import Checkpoint, assemble, weight_tensors
from coder.model.checkpoint.files import read_json
from coder.model.checkpoint.infilling_tokens import InfillingTokens, open_tokenizer
from coder.model.checkpoint.opening import WITH_ADAPTER, find_checkpoint, open_checkpoint
from coder.model.checkpoint.tokens import Tokenizer
from coder.train.attention import NAME

DROPOUTS = ("attention_dropout", "residual_dropout", "embedding_dropout", "attn_pdrop", "resid_pdrop", "embd_pdrop")
"""Off: the canvases bring noise enough."""


@dataclass(frozen=True)
class Base:
    """Attributes:
    folder: where it was found. settings: its `config.json`.
    model: a causal language model of `transformers`, frozen.
    tokenizer, tokens: its tokenizer and control tokens.
    checkpoint: the same as this project runs it; None for another's.
    fingerprint: of its weights, as an adapter's file has it.
    """

    folder: Path
    settings: Mapping[str, Any]
    model: Any
    tokenizer: Tokenizer
    tokens: InfillingTokens
    checkpoint: Checkpoint | None
    fingerprint: str

    @property
    def canvas_sizes(self) -> tuple[int, ...]:
        """Those that a checkpoint of this project knows; else none."""
        return tuple(self.settings.get("quickfill", {}).get("block_sizes", ()))


def open_base(init: str, dtype: torch.dtype, adapted: bool = False) -> Base:
    """Open a checkpoint of this project, a folder with weights as GGUF, or one that `transformers` reads, or a hub id.

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
        stored, model = checkpoint.stored, _filled(folder, checkpoint.float_tensor, dtype)
    elif any(folder.glob("*.gguf")):
        checkpoint, stored = None, weight_tensors(folder)
        model = _filled(folder, lambda name: stored[name].read(), dtype)
    else:
        checkpoint, model, stored = None, _from_transformers(folder, dtype), weight_tensors(folder)
    tokenizer, tokens = open_tokenizer(folder / "tokenizer.json", model.get_input_embeddings().weight.shape[0])
    return Base(folder, settings, model.requires_grad_(False), tokenizer, tokens, checkpoint, fingerprint_of(stored))


def _filled(folder: Path, read: Callable[[str], npt.NDArray[Any]], dtype: torch.dtype) -> Any:
    """Fill a model with tensors that `read` gives by their names, dequantised, one after the other."""
    config = transformers.AutoConfig.from_pretrained(folder)
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(_prepared(config), dtype=dtype)
    model.to_empty(device="cpu")
    model.tie_weights()
    # Buffers, rotary frequencies among them, are computed; `to_empty` left them without values.
    model.model.rotary_emb = type(model.model.rotary_emb)(config=config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.tensor(read(name)))
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
