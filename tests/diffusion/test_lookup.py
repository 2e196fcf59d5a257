"""A lookup draft is a copy of what followed the last occurrence of the sequence's end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coder.diffusion.lookup import LONGEST_MATCH, SHORTEST_MATCH, repeated_continuation

SEQUENCE = st.lists(st.integers(0, 3), max_size=40)


def plainly(sequence: list[int], size: int) -> list[int]:
    """The same, written as its definition."""
    for length in range(LONGEST_MATCH, SHORTEST_MATCH - 1, -1):
        for end in range(len(sequence) - 1, length - 1, -1):
            if len(sequence) > length and sequence[end - length : end] == sequence[-length:]:
                return sequence[end : end + size]
    return []


@given(SEQUENCE, st.integers(0, 6))
def test_equals_its_definition(sequence: list[int], size: int):
    assert repeated_continuation(sequence, size) == plainly(sequence, size)


def test_the_longest_match_wins_then_the_latest():
    assert repeated_continuation([1, 2, 7, 5, 1, 2, 8, 5, 1, 2], 1) == [8]
    assert repeated_continuation([9, 1, 2, 7, 5, 1, 2, 8, 9, 1, 2], 2) == [7, 5]


def test_a_control_token_ends_a_draft():
    assert repeated_continuation([1, 2, 3, 4, 5, 1, 2], 4, excluded=(4, 9)) == [3]
    assert repeated_continuation([1, 2, 4, 1, 2], 4, excluded=(4,)) == []
