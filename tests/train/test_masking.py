"""Which slots a rule masks: at the promised rate, together what belongs together, never the anchor."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.train.masking import (
    Blocks,
    BlockSuffix,
    Independent,
    Lines,
    Masking,
    Mixture,
    Spans,
    SyntaxNodes,
    complement,
    mask,
)

MASKINGS: list[Masking] = [
    Independent(),
    Spans(),
    Spans(1.0),
    Lines(),
    BlockSuffix(),
    SyntaxNodes(),
    Mixture([Independent(), SyntaxNodes()], [0.5, 0.5]),
]
maskings = st.sampled_from(MASKINGS)
seeds = st.integers(0, 2**32)


@st.composite
def blocks(draw: st.DrawFn) -> Blocks:
    """Blocks of any shape, some cut, with lines and nested nodes at random places."""
    rows, size = draw(st.integers(1, 5)), draw(st.integers(1, 12))
    generator = np.random.default_rng(draw(seeds))
    borders = np.sort(generator.integers(1, size + 2, (draw(st.integers(0, 8)), 2)), axis=1)
    nodes = np.column_stack([generator.integers(0, rows, len(borders)), borders])
    return Blocks(
        tokens=generator.integers(20, 30, (rows, size + 1)),
        known=generator.integers(0, size + 1, rows),
        line_breaks=generator.random((rows, size + 1)) < 0.3,
        nodes=nodes[nodes[:, 1] < nodes[:, 2]],
    )


@st.composite
def rates(draw: st.DrawFn, count: int) -> np.ndarray:
    return np.array(draw(st.lists(st.floats(0.0, 1.0), min_size=count, max_size=count)))


@given(st.data(), maskings, blocks(), seeds)
def test_the_anchor_is_never_masked_and_what_is_cut_off_always(data, masking: Masking, blocks: Blocks, seed: int):
    masked = mask(masking, blocks, data.draw(rates(len(blocks.tokens))), np.random.default_rng(seed))
    assert masked.shape == blocks.tokens.shape
    assert masked.dtype == np.bool_
    assert not masked[:, 0].any()
    assert masked[:, 1:][~blocks.slots[:, 1:]].all()


@given(st.data(), maskings, blocks(), seeds)
def test_the_same_seed_masks_the_same_slots(data, masking: Masking, blocks: Blocks, seed: int):
    rate = data.draw(rates(len(blocks.tokens)))
    first, second = (mask(masking, blocks, rate, np.random.default_rng(seed)) for _ in range(2))
    assert (first == second).all()


@given(maskings, blocks(), seeds)
def test_rate_1_masks_all_and_rate_0_nothing(masking: Masking, blocks: Blocks, seed: int):
    ones, generator = np.ones(len(blocks.tokens)), np.random.default_rng(seed)
    assert mask(masking, blocks, ones, generator)[:, 1:].all()
    assert not (mask(masking, blocks, 0 * ones, generator) & blocks.slots).any()


@given(st.data(), maskings, blocks(), seeds)
def test_a_complementary_pair_covers_every_slot_exactly_once(data, masking: Masking, blocks: Blocks, seed: int):
    masked = mask(masking, blocks, data.draw(rates(len(blocks.tokens))), np.random.default_rng(seed))
    other = complement(masked, blocks)
    assert (masked ^ other)[blocks.slots].all()
    assert not other[:, 0].any()
    assert other[:, 1:][~blocks.slots[:, 1:]].all()


@pytest.mark.parametrize("masking", MASKINGS, ids=str)
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.93])
def test_the_rate_is_what_was_asked_for(masking: Masking, rate: float):
    """Over 4,000 blocks, where whole blocks are the worst that can go together: 6 standard deviations are 0.05."""
    rows, size = 4000, 16
    line_breaks = np.zeros((rows, size + 1), np.bool_)
    line_breaks[:, ::5] = True
    nodes = [(row, start, end) for row in range(rows) for start, end in ((1, 9), (2, 5), (6, 9), (7, 8), (12, 17))]
    blocks = Blocks.of(np.zeros((rows, size + 1), np.int64), line_breaks=line_breaks, nodes=np.array(nodes))
    masked = mask(masking, blocks, np.full(rows, rate), np.random.default_rng(1))
    assert abs(masked[:, 1:].mean() - rate) < 0.05
    if not isinstance(masking, BlockSuffix):  # every slot for itself, but where the order is the point
        assert abs(masked[:, 1:].mean(axis=0) - rate).max() < 0.05


def test_spans_are_as_long_as_asked_for():
    blocks = Blocks.of(np.zeros((2000, 65), np.int64))
    masked = Spans(5.0).choose(blocks, np.full(2000, 0.4), np.random.default_rng(2))
    starts = (masked[:, 1:] & ~masked[:, :-1]).sum()
    assert 4.0 < masked[:, 1:].sum() / starts < 6.0


@given(blocks(), seeds)
def test_a_line_is_masked_as_a_whole(blocks: Blocks, seed: int):
    masked = Lines().choose(blocks, np.full(len(blocks.tokens), 0.5), np.random.default_rng(seed))
    goes_on = ~blocks.line_breaks[:, :-1]
    assert (masked[:, 1:] == masked[:, :-1])[goes_on].all()


@given(st.data(), blocks(), seeds)
def test_a_block_suffix_is_masked_from_some_slot_on(data, blocks: Blocks, seed: int):
    rate = data.draw(rates(len(blocks.tokens)))
    masked = mask(BlockSuffix(), blocks, rate, np.random.default_rng(seed))
    assert (masked[:, 2:] >= masked[:, 1:-1]).all()
    assert (abs((masked & blocks.slots).sum(axis=1) - rate * blocks.known) < 1.0 + 1e-9).all()


@given(st.integers(1, 6), st.integers(7, 12), seeds)
def test_a_node_is_masked_as_a_whole(start: int, end: int, seed: int):
    blocks = Blocks.of(np.zeros((1, 13), np.int64), nodes=np.array([[0, start, end]]))
    masked = SyntaxNodes().choose(blocks, np.array([0.5]), np.random.default_rng(seed))
    assert len(set(masked[0, start:end].tolist())) == 1


def test_a_mean_below_one_slot_is_refused():
    with pytest.raises(ValueError, match="at least 1 slot"):
        Spans(0.5)
