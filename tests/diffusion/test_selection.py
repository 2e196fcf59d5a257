from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.diffusion.unmasking import select_tokens
from coder.model.runtime import CANDIDATES, Predictions

temperatures = st.floats(0.01, 5.0)
nuclei = st.floats(0.01, 1.0)
seeds = st.integers(0, 2**32)


@st.composite
def some_predictions(draw: st.DrawFn) -> Predictions:
    """Candidates of a larger vocabulary, best first; some of them may be impossible."""
    rows = []
    for _ in range(draw(st.integers(1, 6))):
        weights = [draw(st.floats(0.1, 1.0)), *draw(st.lists(st.floats(0.0, 1.0), min_size=7, max_size=7)), 0.5]
        rows.append(sorted((np.array(weights) / sum(weights))[:CANDIDATES], reverse=True))
    probabilities = np.array(rows, np.float32)
    tokens = np.arange(probabilities.size).reshape(probabilities.shape) + 100
    nothing = np.zeros(len(rows), np.float32)
    return Predictions(tokens, probabilities, entropy=nothing, log_probability=nothing)


def draw(predictions: Predictions, temperature: float, top_p: float, seed: int | None = 0):
    return select_tokens(predictions, temperature, top_p, np.random.default_rng(seed))


@given(some_predictions(), nuclei, seeds)
def test_at_temperature_zero_the_best_token_is_taken(predictions: Predictions, top_p: float, seed: int):
    tokens, confidences = draw(predictions, 0.0, top_p, seed)
    assert tokens.tolist() == predictions.tokens[:, 0].tolist()
    assert confidences.tolist() == predictions.probabilities[:, 0].tolist()


@given(some_predictions(), temperatures, nuclei, seeds)
def test_a_draw_is_a_possible_candidate_with_the_model_s_probability(
    predictions: Predictions, temperature: float, top_p: float, seed: int
):
    tokens, confidences = draw(predictions, temperature, top_p, seed)
    for row, (token, confidence) in enumerate(zip(tokens, confidences, strict=True)):
        place = predictions.tokens[row].tolist().index(token)
        assert confidence == predictions.probabilities[row, place] > 0.0


@given(some_predictions(), temperatures, nuclei, seeds)
def test_a_draw_lies_in_the_nucleus(predictions: Predictions, temperature: float, top_p: float, seed: int):
    tokens, _ = draw(predictions, temperature, top_p, seed)
    for row, token in enumerate(tokens):
        place = predictions.tokens[row].tolist().index(token)
        assert predictions.probabilities[row, :place].sum() < top_p + 1e-6


@given(some_predictions(), temperatures, nuclei, seeds)
def test_a_seed_repeats(predictions: Predictions, temperature: float, top_p: float, seed: int):
    first, second = (draw(predictions, temperature, top_p, seed)[0] for _ in range(2))
    assert first.tolist() == second.tolist()


@given(some_predictions(), seeds)
def test_a_small_nucleus_or_a_low_temperature_is_greedy(predictions: Predictions, seed: int):
    greedy = predictions.probabilities[:, 0].tolist()
    assert draw(predictions, 1.0, 1e-6, seed)[1].tolist() == greedy
    assert draw(predictions, 1e-12, 1.0, seed)[1].tolist() == pytest.approx(greedy)


@pytest.mark.parametrize(
    ("temperature", "top_p", "expected"),
    [
        (1.0, 1.0, [0.5, 0.25, 0.25]),
        (0.5, 1.0, [4 / 6, 1 / 6, 1 / 6]),
        (1.0, 0.7, [2 / 3, 1 / 3, 0.0]),
        (0.5, 0.75, [4 / 5, 1 / 5, 0.0]),
    ],
)
def test_tokens_are_drawn_as_often_as_temperature_and_nucleus_say(
    temperature: float, top_p: float, expected: list[float]
):
    trials = 20_000
    probabilities = np.tile(np.array([0.4, 0.2, 0.2, 0, 0, 0, 0, 0], np.float32) * 1.25, (trials, 1))
    tokens = np.tile(np.arange(CANDIDATES), (trials, 1))
    nothing = np.zeros(trials, np.float32)
    drawn, _ = draw(Predictions(tokens, probabilities, nothing, nothing), temperature, top_p)
    frequencies = np.bincount(drawn, minlength=CANDIDATES) / trials
    assert frequencies == pytest.approx([*expected, 0, 0, 0, 0, 0], abs=0.02)
