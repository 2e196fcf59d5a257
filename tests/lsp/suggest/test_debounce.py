"""How long to wait for the next keystroke."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp.suggest.gate import LONGEST_WAIT, PAUSE, SHARE_OF_INTERVAL, TypingSpeed


def typed(*intervals: float) -> TypingSpeed:
    speed, now = TypingSpeed(), 100.0
    speed.keystroke(now)
    for interval in intervals:
        now += interval
        speed.keystroke(now)
    return speed


@given(st.lists(st.floats(0.0, 10.0)), st.floats(0.0, 1.0))
def test_nobody_waits_longer_than_the_longest_wait(intervals, later):
    speed = typed(*intervals)
    assert 0.0 <= speed.wait(speed.last + later) <= LONGEST_WAIT


def test_fast_typists_are_waited_for_a_shorter_time():
    fast, slow = typed(*[0.05] * 50), typed(*[0.15] * 50)
    assert fast.wait(fast.last) == pytest.approx(SHARE_OF_INTERVAL * 0.05, rel=0.01)
    assert fast.wait(fast.last) < slow.wait(slow.last)


def test_pauses_say_nothing_about_speed():
    assert typed(0.1, 0.1, PAUSE + 1).interval == typed(0.1, 0.1).interval


def test_time_that_passed_already_is_not_waited_again():
    speed = typed(0.1)
    assert speed.wait(speed.last + PAUSE) == 0.0
    assert TypingSpeed().wait(1.0) == 0.0
