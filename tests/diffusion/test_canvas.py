from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coder.diffusion.block_diffusion import choose_slots
from coder.diffusion.canvas import Canvas
from coder.diffusion.unmasking import EntropyBound, FixedSteps, Threshold, UnmaskingPolicy
from tests.diffusion.runs import policies
from tests.diffusion.toy import END, MASK

EVERYTHING = FixedSteps(1)


def choose(policy: UnmaskingPolicy, confidence: list[float], ends: list[bool]) -> list[int]:
    """With entropy falling as confidence rises."""
    certainty = np.array(confidence, np.float32)
    return choose_slots(policy, certainty, 1 - certainty, np.array(ends), step=0, masked_at_start=len(ends)).tolist()


@given(policies, st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans()), min_size=1, max_size=24))
def test_the_end_waits_for_all_slots_before_it_and_something_is_always_fixed(
    policy: UnmaskingPolicy, slots: list[tuple[float, bool]]
):
    ends = [end for _, end in slots]
    chosen = choose(policy, [confidence for confidence, _ in slots], ends)
    assert chosen
    assert chosen == sorted(set(chosen))
    chosen_ends = [slot for slot in chosen if ends[slot]]
    assert chosen_ends in ([], [ends.index(True) if True in ends else None])
    if chosen_ends:
        assert chosen == list(range(chosen_ends[0] + 1))


def test_without_ends_the_policy_decides():
    assert choose(Threshold(0.9), [0.95, 0.1, 0.92], [False, False, False]) == [0, 2]


def test_text_and_the_end_right_behind_it_are_fixed_together():
    assert choose(Threshold(0.9), [0.95, 0.91, 0.99, 0.99], [False, False, True, True]) == [0, 1, 2]


def test_what_lies_behind_the_end_is_dropped():
    assert choose(EVERYTHING, [0.9, 0.9, 0.9, 0.9], [False, True, False, True]) == [0, 1]


def test_an_end_that_must_wait_does_not_hold_back_others():
    assert choose(Threshold(0.9), [0.95, 0.2, 0.99], [False, False, True]) == [0]


def test_where_only_the_end_is_sure_the_best_slot_before_it_is_fixed():
    assert choose(Threshold(0.9), [0.2, 0.3, 0.99, 0.4], [False, False, True, False]) == [1]
    assert choose(EntropyBound(0.0), [0.2, 0.3, 0.99, 0.4], [False, False, True, False]) == [1]


def test_an_end_in_the_first_masked_slot_is_free():
    assert choose(Threshold(0.9), [0.5, 0.3, 0.4], [True, False, True]) == [0]


def filled(canvas: Canvas, **tokens: int) -> Canvas:
    for slot, token in tokens.items():
        canvas.fix(np.array([int(slot[1:])]), np.array([token]), np.array([0.5]))
    return canvas


def test_a_canvas_is_done_when_nothing_before_its_end_is_masked():
    canvas = filled(Canvas(6, 6, MASK, END, {}), s0=20, s3=23)
    assert canvas.masked.tolist() == [1, 2, 4, 5]
    assert not canvas.ended
    assert canvas.leading_text() == ([20], [0.5])
    filled(canvas, s1=21, s2=END)
    assert canvas.masked.tolist() == []
    assert canvas.ended
    assert canvas.leading_text() == ([20, 21], [0.5, 0.5])


def test_slots_behind_the_limit_stay_masked():
    canvas = filled(Canvas(6, 2, MASK, END, {}), s0=20)
    assert canvas.masked.tolist() == [1]
    filled(canvas, s1=21)
    assert canvas.masked.tolist() == []
    assert not canvas.ended
    assert canvas.tokens.tolist() == [20, 21, MASK, MASK, MASK, MASK]


def test_given_tokens_are_certain_and_a_given_end_bounds_the_text():
    canvas = Canvas(6, 6, MASK, END, {1: 21, 3: END})
    assert canvas.masked.tolist() == [0, 2]
    assert canvas.ended
    assert canvas.confidences.tolist() == [0, 1, 0, 1, 0, 0]
