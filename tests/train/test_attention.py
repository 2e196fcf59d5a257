"""Who sees whom, written out for a row by its definition, and FlexAttention against the dense mask."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from coder.model.torch.decoder import grouped_attention
from coder.train.attention import dense_mask, flex_attention_of
from coder.train.batches import Batch, collate
from coder.train.noisy_rows import CLEAN, NoisyRow, noisy_row
from tests.train.rows import mixed_row, noising


def made(size: int, seed: int = 0) -> NoisyRow:
    return noisy_row(mixed_row(), size, 160, noising(), np.random.default_rng(seed))


def mask_arguments(batch: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return batch["documents"], batch["canvases"], batch["reach"]


@pytest.mark.parametrize("size", [4, 8, 16, 32])
def test_the_mask_is_what_the_design_says(size: int):
    row = made(size)
    mask = dense_mask(*mask_arguments(collate([row])))[0, 0]
    for query in range(len(row.tokens)):
        if row.canvases[query] == CLEAN:
            seen = [key for key in range(query + 1) if row.documents[key] == row.documents[query]]
        else:
            canvas = np.flatnonzero(row.canvases == row.canvases[query])
            before = range(row.reach[canvas[0]] + 1) if row.documents[query] >= 0 else []
            seen = [key for key in before if row.documents[key] == row.documents[query]] + canvas.tolist()
        assert np.flatnonzero(mask[query]).tolist() == seen


def test_every_position_sees_something():
    assert dense_mask(*mask_arguments(collate([made(8), made(32)]))).any(dim=-1).all()


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
@pytest.mark.parametrize("size", [8, 32])
def test_flex_attention_gives_the_same(size: int):
    """Its mask and its grouped heads, uncompiled; on a processor it has no gradient."""
    batch = collate([made(size, seed) for seed in range(2)])
    generator = torch.Generator().manual_seed(0)
    queries, keys, values = (torch.randn(2, heads, 256, 16, generator=generator) for heads in (4, 2, 2))
    expected = grouped_attention(queries, keys, values, dense_mask(*mask_arguments(batch)))
    found = flex_attention_of(*mask_arguments(batch), compiled=False)(0, queries, keys, values)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
