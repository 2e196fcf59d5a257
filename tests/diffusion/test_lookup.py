"""A lookup draft is a copy of what followed the last occurrence of the sequence's end."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from coder.diffusion.block_diffusion import LONGEST_MATCH, SHORTEST_MATCH, Lookup, repeated_continuation
from tests.diffusion.runs import contexts, run
from tests.diffusion.toy import ORDINARY, greedy_continuation

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


class Repeater:
    """A drafter that proposes the same text again and again, and remembers how often it was asked."""

    def __init__(self, text: list[int]) -> None:
        self.text = text
        self.asked = 0

    def draft(self, settled: Sequence[int], size: int) -> list[int]:
        self.asked += 1
        return self.text[:size]


@given(contexts, st.integers(1, 8), st.lists(st.lists(st.sampled_from(list(ORDINARY)), max_size=6), max_size=3))
def test_whatever_is_drafted_the_output_is_the_greedy_one(context: list[int], size: int, texts: list[list[int]]):
    drafters = [Repeater(text) for text in texts]
    assert run(context, Lookup(size), drafters=drafters).output == greedy_continuation(context, 30)


@given(contexts, st.integers(2, 8))
def test_a_drafter_that_is_right_saves_passes(context: list[int], size: int):
    class Clairvoyant:
        def draft(self, settled: Sequence[int], size: int) -> list[int]:
            return greedy_continuation(settled, size)

    outcome = run(context, Lookup(size), drafters=[Clairvoyant()])
    without = run(context, Lookup(size))
    assert outcome.output == without.output
    assert outcome.finished.statistics.decode_passes <= without.finished.statistics.decode_passes


def test_drafters_are_asked_in_order_and_only_where_the_context_has_nothing():
    silent, first, second = Repeater([]), Repeater([ORDINARY[3]]), Repeater([ORDINARY[4]])
    run([ORDINARY[0]], Lookup(2), drafters=[silent, first, second], max_tokens=4)
    assert silent.asked == first.asked > 0 == second.asked
    asked = first.asked
    repeated = [ORDINARY[0], ORDINARY[1], ORDINARY[2]] * 2
    run(repeated, Lookup(2), drafters=[first], max_tokens=2)
    assert first.asked == asked
