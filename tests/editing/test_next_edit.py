"""The layout of a next edit: windows of whole lines, recent edits as small blocks, as many as there is room for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coder.api.completion import Snippet
from coder.editing.next_edit import (
    LINES_AROUND,
    RECENT_TOKENS,
    edit_window,
    edited_files,
    newest_edits,
    recent_edit,
)

TEXTS = st.lists(st.sampled_from(["", "a", "b = 1", "    c"]), min_size=1, max_size=40).map("\n".join)


@given(TEXTS, st.data())
def test_a_window_is_the_lines_around_the_cursor(text: str, data: st.DataObject):
    position = data.draw(st.integers(0, len(text)))
    start, end = edit_window(text, position)
    row, lines = text.count("\n", 0, position), text.split("\n")
    assert text[start:end] == "\n".join(lines[max(0, row - LINES_AROUND) : row + LINES_AROUND + 1])
    assert start <= position <= end


def test_a_recent_edit_is_shown_with_a_line_around_it():
    before, after = "a\nb\nc\nd\ne\n", "a\nb\nC\nD\nd\ne\n"
    assert recent_edit("x.py", before, after) == Snippet("x.py.diff", "original:\nb\nc\nd\nupdated:\nb\nC\nD\nd")


@given(TEXTS, TEXTS)
def test_a_recent_edit_put_in_its_place_makes_the_new_text(before: str, after: str):
    was, _, became = recent_edit("x", before, after).text.removeprefix("original:\n").partition("\nupdated:\n")
    places = [place for place in range(len(before) + 1) if before.startswith(was, place)]
    assert after in {before[:place] + became + before[place + len(was) :] for place in places}


def test_old_edits_give_way_to_new_ones():
    edits = [Snippet("x.diff", "word " * 50) for _ in range(9)]
    kept = newest_edits(edits, lambda text: len(text.split()))
    assert list(kept) == edits[-(RECENT_TOKENS // 50) :]
    assert newest_edits(edits, lambda _: RECENT_TOKENS + 1) == []


def test_the_windows_stand_behind_the_edits():
    found = edited_files("a.py", "x = 1", "x = 2", [Snippet("a.py.diff", "...")])
    assert found == [("a.py.diff", "..."), ("original/a.py", "x = 1"), ("current/a.py", "x = 2")]
