"""Stop texts and what is told before an answer is finished."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.serve.answers import added, cut, sure

TEXT = st.text("ab\n", max_size=12)
STOPS = st.lists(st.text("ab\n", min_size=1, max_size=3), max_size=3)


@pytest.mark.parametrize(
    ("text", "stops", "expected"),
    [
        ("one\n\ntwo", ["\n\n"], ("one", "\n\n")),
        ("one two", ["two", "one"], ("", "one")),
        ("abc", ["b", "bc"], ("a", "bc")),
        ("abc", ["x"], ("abc", "")),
        ("abc", [], ("abc", "")),
    ],
)
def test_a_text_ends_before_its_first_stop(text: str, stops: list[str], expected: tuple[str, str]):
    assert cut(text, stops) == expected


@given(TEXT, TEXT, STOPS)
def test_what_is_told_early_stays_whatever_follows(text: str, more: str, stops: list[str]):
    if not cut(text, stops)[1]:
        assert cut(text + more, stops)[0].startswith(sure(text, stops))


@given(TEXT, STOPS)
def test_only_what_may_become_a_stop_is_held_back(text: str, stops: list[str]):
    held = text[len(sure(text, stops)) :]
    assert not held or any((stop.startswith(held) and stop != held) or stop in text for stop in stops)


def test_half_a_character_is_held_back():
    assert sure("price: \N{REPLACEMENT CHARACTER}", []) == "price: "


@given(TEXT, TEXT)
def test_added_is_what_a_text_has_grown_by(before: str, more: str):
    assert added(before, before + more) == more


def test_nothing_is_added_to_a_text_that_became_another():
    assert added("abc", "ab") == ""
