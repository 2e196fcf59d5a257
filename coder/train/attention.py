"""Attention of the two streams, as a function that `transformers` calls.

A token of the context sees the context before it. A clean token of the region sees its whole context, the clean tokens
before it and itself. A noisy one sees the context, the clean tokens before its canvas's anchor, and its whole canvas
(Block Diffusion, arXiv:2503.09573, figure 1; here with an anchor). Examples never see each other.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

import torch
from torch.nn.attention.flex_attention import create_block_mask, flex_attention
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from coder.train.streams import CLEAN, Batch

Tensor = torch.Tensor
functional = torch.nn.functional

NAME = "quickfill_two_streams"
"""Under which `transformers` knows it."""


class Attend(Protocol):
    """Attention of one packed stream: queries [1, heads, M, width], keys and values [1, key_value_heads, M, width] of a
    layer, rotated -> [1, heads, M, width]."""

    def __call__(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Tensor: ...


def two_streams(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    attend: Attend,
    scaling: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attend as the caller of the model says by its argument `attend`."""
    del attention_mask
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    index: Any = module.layer_idx
    return attend(index, query, key, value.to(query.dtype), scale).transpose(1, 2), None


AttentionInterface.register(NAME, two_streams)
AttentionMaskInterface.register(NAME, lambda *_, **__: None)


class TwoStreamAttention:
    """The attention of a batch: `context` first, which keeps its keys and values, then `region`, which sees them."""

    def __init__(self, batch: Batch, dtype: torch.dtype) -> None:
        self._kept: dict[int, tuple[Tensor, Tensor]] = {}
        count = int(batch["documents"].max()) + 1
        self._lengths = torch.bincount(batch["documents"], minlength=count).tolist()
        self._context_lengths = torch.bincount(batch["context_documents"], minlength=count).tolist()
        ends = torch.tensor(self._lengths).cumsum(0).tolist()
        self._masks = [
            _additive(
                region_mask(batch["canvases"][end - length : end], batch["seen"][end - length : end], context), dtype
            )
            for length, end, context in zip(self._lengths, ends, self._context_lengths, strict=True)
        ]

    def context(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Tensor:
        self._kept[layer] = keys, values
        parts = zip(*(part.split(self._context_lengths, dim=2) for part in (queries, keys, values)), strict=True)
        return torch.cat([_causal(query, key, value, scale) for query, key, value in parts if query.shape[2]], dim=2)

    def region(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Tensor:
        own = [part.split(self._lengths, dim=2) for part in (queries, keys, values)]
        if layer in self._kept:
            kept = [part.split(self._context_lengths, dim=2) for part in self._kept[layer]]
            own[1:] = [
                [torch.cat(both, dim=2) for both in zip(*pair, strict=True)] for pair in zip(kept, own[1:], strict=True)
            ]
        parts = zip(own[0], own[1], own[2], self._masks, strict=True)
        return torch.cat([_grouped(query, key, value, mask, scale) for query, key, value, mask in parts], dim=2)


class FlexStreams:
    """The same by FlexAttention (arXiv:2412.05496), which never computes what nobody sees; for GPUs."""

    def __init__(self, batch: Batch, compiled: bool = True) -> None:
        create, self._attention = _compiled() if compiled else (create_block_mask, flex_attention)
        self._kept: dict[int, tuple[Tensor, Tensor]] = {}
        context, documents = batch["context_documents"], batch["documents"]
        canvases, seen = batch["canvases"], batch["seen"]
        place = torch.arange(len(documents), device=documents.device)
        first = torch.searchsorted(documents, documents)
        contexts, regions = len(context), len(documents)

        def causal(_: Tensor, __: Tensor, query: Tensor, key: Tensor) -> Tensor:
            return (context[query] == context[key]) & (key <= query)

        def visible(_: Tensor, __: Tensor, query: Tensor, key: Tensor) -> Tensor:
            own = (key - contexts).clamp(min=0)
            earlier = (canvases[own] == CLEAN) & (place[own] - first[own] < seen[query])
            same = (canvases[own] != CLEAN) & (canvases[own] == canvases[query])
            inside = (documents[own] == documents[query]) & (earlier | same)
            if not contexts:
                return inside
            before = context[key.clamp(max=contexts - 1)] == documents[query]
            return torch.where(key < contexts, before, inside)

        device = str(documents.device)
        self._causal = create(causal, None, None, contexts, contexts, device=device) if contexts else None
        self._visible = create(visible, None, None, regions, contexts + regions, device=device)

    def context(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Tensor:
        self._kept[layer] = keys, values
        return self._attention(queries, keys, values, block_mask=self._causal, scale=scale, enable_gqa=True)

    def region(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Tensor:
        if layer in self._kept:
            keys, values = (torch.cat(pair, dim=2) for pair in zip(self._kept[layer], (keys, values), strict=True))
        return self._attention(queries, keys, values, block_mask=self._visible, scale=scale, enable_gqa=True)


def region_mask(canvases: Tensor, seen: Tensor, context: int) -> Tensor:
    """Return bool [n, context + n], True where a place of one document's region (row) sees a key (column).

    Args:
        canvases, seen: int64 [n], as in `coder.train.streams.Streams`. context: tokens of the document's context.
    """
    place = torch.arange(len(canvases), device=canvases.device)
    clean = canvases == CLEAN
    earlier = clean[None, :] & (place[None, :] < seen[:, None])
    same = ~clean[None, :] & (canvases[None, :] == canvases[:, None])
    everything = torch.ones(len(canvases), context, dtype=torch.bool, device=canvases.device)
    return torch.cat([everything, earlier | same], dim=1)


def _additive(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """The same to be added to scores: made once for all layers."""
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill_(~mask, float("-inf"))


def _grouped(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor, scale: float) -> Tensor:
    """Attention in which the query heads that share a key head are further queries of it: no copies of keys and values
    (GQA, arXiv:2305.13245)."""
    _, heads, length, width = queries.shape
    shared = keys.shape[1]
    folded = queries.reshape(1, shared, heads // shared * length, width)
    attended = functional.scaled_dot_product_attention(
        folded, keys, values, attn_mask=mask.repeat(heads // shared, 1), scale=scale
    )
    return attended.view(1, heads, length, width)


def _causal(queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Tensor:
    return functional.scaled_dot_product_attention(
        queries, keys, values, is_causal=True, scale=scale, enable_gqa=queries.shape[1] != keys.shape[1]
    )


@lru_cache(maxsize=1)
def _compiled() -> tuple[Callable[..., Any], Callable[..., Any]]:
    return torch.compile(create_block_mask), torch.compile(flex_attention)
