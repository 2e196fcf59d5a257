"""The modules of `transformers` with a family's layers and weights, and with any attention mask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers

from coder.model.checkpoint.files import read_json
from tests.families import PUBLISHED, llama_tensors

Tensor = torch.Tensor


class Reference:
    """A family's model, run by `transformers` under its own names for the same architecture.

    Attributes:
        module: the class for causal language models, its weights those of the family's checkpoint.
    """

    def __init__(self, folder: Path, family: str, dtype: torch.dtype, seed: int = 0) -> None:
        published, settings = PUBLISHED[family], read_json(folder / "config.json")
        rows = settings["embedding_size" if family == "llada" else "vocab_size"]
        kind = getattr(transformers, published.transformers)
        sizes = {
            "vocab_size": rows,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": settings.get("num_key_value_heads", 4),
            "head_dim": published.head_dim,
            "max_position_embeddings": 512,
            "rms_norm_eps": settings["rms_norm_eps"],
            "tie_word_embeddings": settings.get("tie_word_embeddings", False),
            "rope_parameters": {"rope_type": "default", **(settings.get("rope_scaling") or {})}
            | {"rope_theta": settings["rope_theta"]},
            "attn_implementation": "eager",
        }
        self.module = kind(kind.config_class(**sizes)).to(dtype).eval()
        weights = {
            name: torch.tensor(values, dtype=dtype) for name, values in llama_tensors(published, rows, seed).items()
        }
        if sizes["tie_word_embeddings"]:
            weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
        self.module.load_state_dict(weights)

    @torch.no_grad()
    def logits(
        self, tokens: list[int] | Tensor, mask: Tensor | None = None, positions: Tensor | None = None, cache: Any = None
    ) -> Tensor:
        """Of one sequence, [M, vocabulary]; `mask` is bool [M, N], True where a row sees a column. None is all."""
        ids = torch.as_tensor(tokens)[None]
        known = cache.get_seq_length() if cache is not None else 0
        seen = torch.ones(ids.shape[1], known + ids.shape[1], dtype=torch.bool) if mask is None else mask
        dtype = self.module.dtype
        additive = torch.zeros(seen.shape, dtype=dtype).masked_fill(~seen, torch.finfo(dtype).min)[None, None]
        where = torch.arange(known, known + ids.shape[1]) if positions is None else positions
        found = self.module(
            ids, attention_mask=additive, position_ids=where[None], past_key_values=cache, use_cache=cache is not None
        )
        return found.logits[0]


def block_mask(length: int, block: int) -> Tensor:
    """Block-causal attention, bool [length, length]."""
    number = torch.arange(length) // block
    return number[None, :] <= number[:, None]
