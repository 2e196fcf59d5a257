"""The gate: a calibrated probability against a threshold that follows the user, within bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp.suggest.gate import HIGHEST, LOWEST, Calibration, Gate

confidences = st.floats(0.0, 1.0)
tokens = st.integers(1, 200)


@given(confidences, tokens)
def test_a_probability_is_one(confidence, count):
    assert 0.0 <= Calibration().probability(confidence, count) <= 1.0


@given(confidences, confidences, tokens)
def test_more_confidence_never_means_less_probability(first, second, count):
    low, high = sorted((first, second))
    assert Calibration().probability(low, count) <= Calibration().probability(high, count)


@given(st.lists(confidences, min_size=1, max_size=48), st.data())
def test_no_completion_is_likelier_than_its_beginning_allows(probabilities, data):
    beginning = probabilities[: data.draw(st.integers(1, len(probabilities)))]
    mean, calibration = sum(probabilities) / len(probabilities), Calibration()
    bound = calibration.most_probable(sum(beginning) / len(beginning), len(beginning), most_tokens=48)
    assert calibration.probability(mean, len(probabilities)) <= bound + 1e-9


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_threshold_stays_within_its_bounds(one, other):
    accepted, shown = sorted((one, other))
    default = Calibration().threshold
    assert default + LOWEST <= Gate(shown=shown, accepted=accepted).threshold <= default + HIGHEST


def test_who_accepts_more_is_shown_more():
    assert Gate(shown=100, accepted=80).threshold < Gate().threshold < Gate(shown=100, accepted=0).threshold
    assert Gate().threshold == Calibration().threshold


def test_a_threshold_of_the_users_own_does_not_move():
    assert Gate(chosen=0.7, shown=100, accepted=100).threshold == 0.7
