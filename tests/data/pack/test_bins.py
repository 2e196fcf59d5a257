"""Packing into bins: nothing lost, nothing twice, nothing overfull, and few bins."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.pack.packing import best_fit_decreasing


@given(st.lists(st.integers(1, 100), max_size=200))
def test_everything_is_in_one_bin_and_few_are_used(sizes: list[int]):
    bins = best_fit_decreasing(sizes, 100)
    assert sorted(index for indices in bins for index in indices) == list(range(len(sizes)))
    loads = [sum(sizes[index] for index in indices) for indices in bins]
    assert all(0 < load <= 100 for load in loads)
    # Two bins that would fit into one are never left.
    assert sum(load <= 50 for load in loads) <= 1


def test_sizes_as_documents_have_them_leave_next_to_no_room():
    generator = random.Random(0)
    sizes = [min(1024, 30 + int(generator.expovariate(1 / 300))) for _ in range(3000)]
    bins = best_fit_decreasing(sizes, 1024)
    assert sum(sizes) > 0.99 * 1024 * len(bins)


def test_what_is_larger_than_a_bin_is_refused():
    with pytest.raises(ValueError, match="101 does not fit"):
        best_fit_decreasing([5, 101], 100)
