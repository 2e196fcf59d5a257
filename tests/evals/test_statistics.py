"""Figures over tasks: what they are by definition, and how sure they are."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.scoring.statistics import compare, estimate, pass_at_k, quantile

passes = st.lists(st.booleans(), min_size=1, max_size=8)


@given(passes, st.data())
def test_pass_at_k_is_the_share_of_draws_with_a_right_one(passed: list[bool], data: st.DataObject):
    k = data.draw(st.integers(1, len(passed)))
    draws = list(combinations(passed, k))
    share = sum(map(any, draws)) / len(draws)
    assert pass_at_k(len(passed), sum(passed), k) == pytest.approx(share)


@pytest.mark.parametrize(("samples", "correct", "k"), [(1, 2, 1), (3, 1, 4), (3, 1, 0), (3, -1, 1)])
def test_pass_at_k_of_impossible_counts_is_refused(samples: int, correct: int, k: int):
    with pytest.raises(ValueError, match="means nothing"):
        pass_at_k(samples, correct, k)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_an_interval_holds_its_mean_and_lies_among_the_values(values: list[float]):
    found = estimate(values)
    assert min(values) - 1e-9 <= found.low <= found.value + 1e-9
    assert found.value - 1e-9 <= found.high <= max(values) + 1e-9
    assert estimate(values) == found


def test_an_interval_of_a_share_is_about_two_standard_errors_wide():
    found = estimate([1.0] * 60 + [0.0] * 140)
    error = (0.3 * 0.7 / 200) ** 0.5
    assert found.value == pytest.approx(0.3)
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_a_comparison_counts_disagreements_and_asks_a_binomial():
    first = [[True]] * 10 + [[False]] * 10 + [[True]] * 1 + [[False]] * 7
    second = [[True]] * 10 + [[False]] * 10 + [[False]] * 1 + [[True]] * 7
    found = compare(first, second)
    assert (found.only_first, found.only_second, found.tasks) == (1, 7, 28)
    assert found.difference.value == pytest.approx(6 / 28)
    # Two-sided: 2 (C(8, 0) + C(8, 1)) / 2^8.
    assert found.p_value == pytest.approx(2 * 9 / 256)


def test_runs_that_agree_are_not_told_apart():
    found = compare([[True], [False]], [[True], [False]])
    assert (found.difference.value, found.p_value) == (0.0, 1.0)


def test_several_samples_have_a_difference_and_no_test():
    found = compare([[True, False]], [[True, True]])
    assert (found.difference.value, found.p_value) == (0.5, None)


def test_runs_over_different_tasks_are_not_compared():
    with pytest.raises(ValueError, match="same tasks"):
        compare([[True]], [])


def test_a_quantile_lies_between_the_values_around_it():
    assert quantile([1.0, 2.0, 3.0], 0.5) == 2.0
    assert quantile([0.0, 1.0], 0.95) == pytest.approx(0.95)
