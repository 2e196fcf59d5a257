"""Who sees whom in a sequence of clean tokens and noisy canvases.

A clean token sees the clean tokens before it in its document, and itself. A noisy token sees the clean tokens before
its canvas's anchor, and its whole canvas (Block Diffusion, arXiv:2503.09573, figure 1; here with an anchor).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

from coder.model.torch.decoder import Attend, masked_attention
from coder.train.noisy_rows import CLEAN

Tensor = torch.Tensor


def dense_attention(documents: Tensor, canvases: Tensor, reach: Tensor) -> Attend:
    """Attention with a mask that is written out. All arguments int64 [rows, M], as in `NoisyRow`."""
    return masked_attention(dense_mask(documents, canvases, reach))


def flex_attention_of(documents: Tensor, canvases: Tensor, reach: Tensor, compiled: bool = True) -> Attend:
    """The same by FlexAttention (arXiv:2412.05496), which never computes what nobody sees. M is a multiple of 128."""
    create, attention = _compiled() if compiled else (create_block_mask, flex_attention)
    mask = block_mask(documents, canvases, reach, create)

    def attend(_: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        # Under autocast the rotary positions leave queries and keys in float32.
        queries, keys = queries.to(values.dtype), keys.to(values.dtype)
        return attention(queries, keys, values, block_mask=mask, enable_gqa=True)

    return attend


def dense_mask(documents: Tensor, canvases: Tensor, reach: Tensor) -> Tensor:
    """bool [rows, 1, M, M], True where a query (row) sees a key (column)."""
    clean = canvases == CLEAN
    same_document = documents[:, :, None] == documents[:, None, :]
    context = clean[:, None, :] & same_document & (reach[:, None, :] <= reach[:, :, None])
    canvas = ~clean[:, None, :] & (canvases[:, :, None] == canvases[:, None, :])
    return (context | canvas)[:, None]


def block_mask(
    documents: Tensor, canvases: Tensor, reach: Tensor, create: Callable[..., BlockMask] = create_block_mask
) -> BlockMask:
    """The same for FlexAttention."""

    def visible(row: Tensor, _: Tensor, query: Tensor, key: Tensor) -> Tensor:
        clean = canvases[row, key] == CLEAN
        same_document = documents[row, query] == documents[row, key]
        context = clean & same_document & (reach[row, key] <= reach[row, query])
        return context | (~clean & (canvases[row, query] == canvases[row, key]))

    rows, length = documents.shape
    return create(visible, rows, None, length, length, device=documents.device)


@lru_cache(maxsize=1)
def _compiled() -> tuple[Any, Any]:
    """Shapes are always the same, and saying so makes better kernels."""
    return torch.compile(create_block_mask, dynamic=False), torch.compile(flex_attention, dynamic=False)
