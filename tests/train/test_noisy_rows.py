"""The noisy stream: what fits, what is drawn again, what is learned, and that a seed decides all of it."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.diffusion.schedules import CosineSchedule
from coder.train.noising import WrongTokens
from coder.train.noisy_rows import CLEAN, Noising, NoisyRow, noisy_row
from tests.train.rows import CONTROL, VOCABULARY, mixed_row, noising

SIZES = [4, 8, 16, 32]
sizes = st.sampled_from(SIZES)
seeds = st.integers(0, 2**32)


def made(size: int = 8, room: int = 160, seed: int = 0, how: Noising | None = None) -> NoisyRow:
    return noisy_row(mixed_row(), size, room, how or noising(), np.random.default_rng(seed))


@given(sizes, seeds, st.booleans())
def test_shapes_depend_on_the_lengths_alone(size: int, seed: int, cosine: bool):
    row = made(size, seed=seed, how=noising(schedule=CosineSchedule()) if cosine else None)
    for name in ("tokens", "positions", "documents", "canvases", "reach"):
        assert getattr(row, name).shape == (96 + 160,)
        assert getattr(row, name).dtype == np.int64


@given(sizes, seeds)
def test_what_is_predicted_is_hidden_and_stands_one_place_to_the_right(size: int, seed: int):
    row = made(size, seed=seed)
    denoised = row.targets.sizes > 0
    assert (row.tokens[row.targets.places[denoised] + 1] == CONTROL.mask).all()
    assert (row.canvases[row.targets.places[denoised] + 1] == row.canvases[row.targets.places[denoised]]).all()
    following = row.targets.places[~denoised] + 1
    assert (row.tokens[following] == row.targets.tokens[~denoised]).all()
    assert (row.canvases[following] == CLEAN).all()


@given(sizes, seeds)
def test_canvases_continue_the_positions_of_their_document(size: int, seed: int):
    row = made(size, seed=seed)
    for number in np.unique(row.canvases[96:][row.documents[96:] >= 0]):
        own = np.flatnonzero(row.canvases == number)
        anchor = row.reach[own[0]] + 1
        assert row.tokens[own[0]] == row.tokens[anchor]
        assert row.positions[own].tolist() == list(range(row.positions[anchor], row.positions[anchor] + size + 1))
        assert (row.documents[own] == row.documents[anchor]).all()


def test_the_same_seed_gives_the_same_row_and_another_one_another():
    first, second, other = made(seed=5), made(seed=5), made(seed=6)
    assert all(np.array_equal(a, b) for a, b in zip(astuple(first)[:5], astuple(second)[:5], strict=True))
    assert not np.array_equal(first.tokens, other.tokens)


def test_canvases_that_do_not_fit_are_left_out():
    row = made(size=4, room=12)
    assert len(np.unique(row.canvases[96:][row.documents[96:] >= 0])) == 2


def test_where_there_is_room_canvases_are_drawn_again():
    once, thrice = made(how=noising(draws=1)), made(room=400, how=noising(draws=3))
    assert 3 * once.slots == pytest.approx(thrice.slots)


def test_complementary_pairs_learn_every_slot_once():
    row = made(room=400, how=noising(draws=2, complementary=True, fully_masked=0.0))
    denoised = row.targets.sizes > 0
    once = made(how=noising(draws=1, fully_masked=1.0))
    answers = np.sort(row.targets.tokens[denoised])
    assert answers.tolist() == np.sort(once.targets.tokens[once.targets.sizes > 0]).tolist()


def test_wrong_tokens_are_learned_from_and_marked():
    ordinary = np.arange(17, VOCABULARY)
    how = noising(wrong_tokens=WrongTokens(ordinary, blocks=1.0, slots=0.5), fully_masked=0.0)
    targets = (row := made(how=how)).targets
    wrong = targets.levels < 0
    assert wrong.any()
    assert (row.tokens[targets.places[wrong] + 1] != targets.tokens[wrong]).all()
    assert (targets.weights[wrong] == targets.counts[wrong]).all()


def test_the_expected_weight_of_a_slot_is_what_it_counts():
    """Over draws the denoising loss weighs every slot alike: masked with probability 1 - alpha, at 1 / (1 - alpha)."""
    rows = [made(room=400, seed=seed, how=noising(draws=4)) for seed in range(400)]
    means = [row.targets.weights[row.targets.sizes > 0].sum() / row.slots for row in rows]
    assert np.mean(means) == pytest.approx(1.0, abs=0.03)


def test_next_tokens_are_those_of_middles_or_of_everything():
    middles = made().targets
    row = mixed_row()
    assert (middles.sizes == 0).sum() == (row.roles == 2).sum()
    everything = made(how=noising(middles_only=False), room=400).targets
    assert (everything.sizes == 0).sum() == (row.roles > 0).sum() - 3
