"""The gate: a calibrated probability against a threshold that follows the user, within bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp.suggest.gate import HIGHEST, LOWEST, Calibration, Gate

doubts = st.floats(0.0, 100.0)


@given(doubts)
def test_a_probability_is_one(doubt):
    assert 0.0 <= Calibration().probability(doubt) <= 1.0


@given(doubts, doubts)
def test_more_doubt_never_means_more_probability(first, second):
    low, high = sorted((first, second))
    assert Calibration().probability(high) <= Calibration().probability(low)


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
