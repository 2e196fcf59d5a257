"""Noise levels, wrong tokens, and what each slot's loss weighs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.diffusion.schedules import CosineSchedule, LinearSchedule, Schedule
from coder.train.masking import Blocks, Independent
from coder.train.noising import NoiseLevels, WrongTokens, add_noise, draw_noise_levels

MASK = 3
ORDINARY = np.array([5, 6, 8, 9, 12])
seeds = st.integers(0, 2**32)
schedules = st.sampled_from([LinearSchedule(), CosineSchedule()])


def clean(rows: int, size: int, generator: np.random.Generator) -> Blocks:
    """Ordinary tokens and end tokens (4)."""
    return Blocks.of(generator.choice([4, *ORDINARY], (rows, size + 1)))


@given(st.integers(1, 40), st.sampled_from([8, 16, 32]), seeds)
def test_levels_lie_within_their_range(count: int, slots: int, seed: int):
    levels = draw_noise_levels(count, slots, np.random.default_rng(seed))
    assert levels.t.shape == levels.full.shape == (count,)
    assert (levels.t >= 1 / slots).all() and (levels.t <= 1.0).all()
    assert (levels.t[levels.full] == 1.0).all()


def test_levels_are_uniform_and_a_share_of_the_blocks_is_full():
    levels = draw_noise_levels(20_000, 16, np.random.default_rng(0))
    assert 0.14 < levels.full.mean() < 0.16
    partial = levels.t[~levels.full]
    for quarter in (0.25, 0.5, 0.75):
        assert abs((partial <= quarter).mean() - quarter) < 0.02


def test_every_quarter_of_the_levels_is_met_even_by_four_blocks():
    for seed in range(20):
        levels = draw_noise_levels(4, 1000, np.random.default_rng(seed), fully_masked=0.0)
        assert np.ceil(np.sort(levels.t) * 4).tolist() == [1, 2, 3, 4]


@given(schedules)
def test_a_full_block_weighs_1_under_any_schedule(schedule: Schedule):
    levels = NoiseLevels(np.array([1.0, 0.5]), np.array([True, False]))
    assert levels.rate(schedule)[0] == levels.weight(schedule)[0] == 1.0
    assert levels.rate(schedule)[1] == 1.0 - schedule.alpha(0.5)
    assert levels.weight(schedule)[1] == schedule.weight(0.5)


@given(st.integers(1, 5), st.integers(1, 12), st.booleans(), seeds)
def test_wrong_tokens_are_ordinary_and_wrong(rows: int, size: int, sampled: bool, seed: int):
    generator = np.random.default_rng(seed)
    blocks = clean(rows, size, generator)
    masked = generator.random(blocks.tokens.shape) < 0.3
    samples = generator.integers(0, 13, blocks.tokens.shape) if sampled else None
    tokens, wrong = WrongTokens(ORDINARY, blocks=1.0, slots=0.7).replace(blocks, masked, generator, samples)
    assert np.isin(tokens[wrong], ORDINARY).all()
    assert (tokens != blocks.tokens)[wrong].all()
    assert (tokens == blocks.tokens)[~wrong].all()
    assert not wrong[:, 0].any()
    assert not (wrong & masked).any()


def test_wrong_tokens_come_in_their_share_and_all_of_them():
    generator = np.random.default_rng(3)
    blocks = Blocks.of(np.full((4000, 17), 6))
    tokens, wrong = WrongTokens(ORDINARY).replace(blocks, np.zeros(blocks.tokens.shape, np.bool_), generator)
    concerned = wrong.any(axis=1)
    assert 0.17 < concerned.mean() < 0.25  # a quarter, less those that no slot was drawn in
    assert 0.02 < wrong[:, 1:].mean() < 0.03
    counts = np.bincount(tokens[wrong])[[5, 8, 9, 12]]
    assert counts.min() > 0.8 * counts.mean()


def test_a_sample_of_the_model_is_preferred():
    blocks = Blocks.of(np.full((50, 9), 6))
    samples = np.full(blocks.tokens.shape, 12)
    visible = np.zeros(blocks.tokens.shape, np.bool_)
    tokens, wrong = WrongTokens(ORDINARY, 1.0, 0.5).replace(blocks, visible, np.random.default_rng(0), samples)
    assert wrong.any() and (tokens[wrong] == 12).all()


@given(st.integers(1, 5), st.integers(1, 12), schedules, st.booleans(), seeds)
def test_loss_is_where_something_can_be_learned(rows: int, size: int, schedule: Schedule, correct: bool, seed: int):
    generator = np.random.default_rng(seed)
    blocks = clean(rows, size, generator)
    blocks = Blocks.of(blocks.tokens, known=generator.integers(0, size + 1, rows))
    levels = draw_noise_levels(rows, size, generator)
    wrong_tokens = WrongTokens(ORDINARY, 1.0, 0.5) if correct else None
    noisy = add_noise(blocks, levels, schedule, Independent(), MASK, generator, wrong_tokens)
    assert ((noisy.inputs == MASK) == noisy.masked).all()
    assert (noisy.inputs[:, 0] == blocks.tokens[:, 0]).all()
    weights = np.broadcast_to(levels.weight(schedule)[:, None], noisy.weights.shape)
    assert (noisy.weights == np.where(noisy.wrong, 1.0, np.where(noisy.masked & blocks.slots, weights, 0.0))).all()
    assert correct or not noisy.wrong.any()


def test_one_ordinary_token_leaves_no_wrong_one():
    with pytest.raises(ValueError, match="at least two"):
        WrongTokens(np.array([7]))
