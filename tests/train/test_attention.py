"""Both ways to attend against the rule, place by place."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from coder.train.attention import FlexStreams, TwoStreamAttention
from coder.train.streams import Batch, collate
from tests.train.test_objective import MASK, dense, documents, example

HEADS, SHARED, WIDTH, SCALE = 4, 2, 16, 0.3


@pytest.fixture
def batch() -> Batch:
    return collate([example(document, seed, MASK) for seed, document in enumerate(documents())])


def parts(length: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    made = [torch.randn(1, heads, length, WIDTH, generator=generator) for heads in (HEADS, SHARED, SHARED)]
    return made[0], made[1], made[2]


def expected() -> tuple[torch.Tensor, torch.Tensor]:
    """The context's and the region's, example by example over all of its places."""
    examples = [example(document, seed, MASK) for seed, document in enumerate(documents())]
    contexts = np.cumsum([0, *(len(one.context_tokens) for one in examples)])
    regions = np.cumsum([0, *(len(one.tokens) for one in examples)])
    first, second = parts(contexts[-1], 1), parts(regions[-1], 2)
    found: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])
    for number, one in enumerate(examples):
        own = slice(contexts[number], contexts[number + 1]), slice(regions[number], regions[number + 1])
        joined = [torch.cat([a[:, :, own[0]], b[:, :, own[1]]], dim=2) for a, b in zip(first, second, strict=True)]
        attended = torch.nn.functional.scaled_dot_product_attention(
            *joined, attn_mask=dense(one), scale=SCALE, enable_gqa=True
        )
        count = len(one.context_tokens)
        found[0].append(attended[:, :, :count])
        found[1].append(attended[:, :, count:])
    return torch.cat(found[0], dim=2), torch.cat(found[1], dim=2)


@pytest.mark.parametrize("kind", ["dense", "flex"])
def test_it_is_attention_by_the_rule(batch: Batch, kind: str):
    streams = TwoStreamAttention(batch, torch.float32) if kind == "dense" else FlexStreams(batch, compiled=False)
    context, region = expected()
    torch.testing.assert_close(streams.context(0, *parts(context.shape[2], 1), SCALE), context)
    torch.testing.assert_close(streams.region(0, *parts(region.shape[2], 2), SCALE), region)


@pytest.mark.parametrize("kind", ["dense", "flex"])
def test_a_batch_without_contexts_is_attended_to(kind: str):
    alone = documents()[0]
    batch = collate([example(type(alone)(alone.context[-1:], alone.middle), 0, MASK)])
    streams = TwoStreamAttention(batch, torch.float32) if kind == "dense" else FlexStreams(batch, compiled=False)
    assert streams.region(0, *parts(len(batch["tokens"]), 3), SCALE).isfinite().all()
