"""Where Python's compiler stumbles over a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.syntax.first_error import first_error


@pytest.mark.parametrize(
    ("text", "stumbles_at"),
    [
        ("x = = 1\ny = 2\n", "= 1"),
        ("x = 1\ny = )\n", ")"),
        ("def f():\nreturn 1\n", "return"),
        ("é = 'ü' +\n", "\n"),
    ],
)
def test_the_compiler_s_position_is_an_offset(text: str, stumbles_at: str):
    offset = first_error(text, "python")
    assert offset is not None
    place = text.index(stumbles_at)
    assert place <= offset <= place + len(stumbles_at)


@pytest.mark.parametrize("text", ["x = 1\n", "x = (1,\ny = 2\n", "x = '''\n", "x = \0"])
def test_sound_texts_and_missing_ends_have_no_position(text: str):
    assert first_error(text, "python") is None


def test_other_languages_are_not_judged():
    assert first_error("x = = 1", "go") is None


@given(st.text(st.sampled_from("ab=()[]: \n\t'\"é漢\ud800\\"), max_size=40))
def test_any_text_is_survived(text: str):
    offset = first_error(text, "python")
    assert offset is None or 0 <= offset <= len(text)
