"""Changes: they lead from one text to the other, and are small."""

from __future__ import annotations

from itertools import pairwise
from math import isqrt

from hypothesis import given
from hypothesis import strategies as st

from coder.api.text_requests import Change
from coder.editing.changes import MOST_PAIRS, apply_changes, changes, diff

TEXT = st.text(st.sampled_from("ab (\n\r\té漢"), max_size=40)


@given(TEXT, TEXT)
def test_they_lead_from_the_old_text_to_the_new_one(old, new):
    found = changes(old, new)
    assert apply_changes(old, found) == new
    assert all(old[change.start : change.end] != change.text for change in found)
    assert all(first.end < second.start for first, second in pairwise(found))


def test_a_word_that_differs_is_all_that_changes():
    assert changes("a = first + 1\nb\n", "a = second + 1\nb\n") == (Change(4, 9, "second"),)
    assert changes("a\nb\n", "a\nb\n") == ()
    assert changes("a\nc\n", "a\nb\nc\n") == (Change(2, 2, "b\n"),)


def test_in_a_long_row_of_the_same_words_one_change_is_small_and_many_are_one():
    row = "x = [" + "0, " * isqrt(MOST_PAIRS) + "]"
    assert changes(row, row[:-1] + "1]") == (Change(len(row) - 1, len(row) - 1, "1"),)
    assert changes(row, f"y{row[1:-1]}]]") == (Change(0, len(row) - 1, f"y{row[1:-1]}]"),)


def test_a_diff_names_the_file_and_shows_the_lines():
    assert diff("a\nb\n", "a\nc\n", "x.py") == ["--- x.py", "+++ x.py", "@@ -1,3 +1,3 @@", " a", "-b", "+c", " "]
