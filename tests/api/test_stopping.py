"""Where answers stop beside the right one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.api.stopping import stopping_of


@pytest.mark.parametrize(
    ("answer", "ended", "expected"),
    [
        ("    return a\n", True, "right"),
        ("return a", True, "right"),
        ("return a", False, "too long"),
        (" \n", True, "empty"),
        ("return", True, "too short"),
        ("return a\nreturn b", True, "too long"),
        ("return b", True, "other"),
    ],
)
def test_an_answer_stops_beside_the_right_one(answer: str, ended: bool, expected: str):
    assert stopping_of(answer, "    return a", ended) == expected


@given(st.text(), st.text(min_size=1).filter(str.strip))
def test_a_part_is_too_short_where_the_whole_is_too_long(answer: str, right: str):
    if stopping_of(answer, right) == "too short":
        assert stopping_of(right, answer) == "too long"
    assert stopping_of(right, right) == "right"
