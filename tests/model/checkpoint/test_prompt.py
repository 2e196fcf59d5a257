"""The layouts, literally: control tokens as letters would hide what they are, so the ids of the table are used."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.model.checkpoint import tokens as prompt
from coder.model.checkpoint.opening import find_checkpoint
from coder.model.checkpoint.tokens import Tokenizer

TOKENIZER = Tokenizer(find_checkpoint("embedded") / "tokenizer.json")
CONTROL = TOKENIZER.control
END, PREFIX, MIDDLE, SUFFIX, REPO, FILE, HOLE = 0, 2, 3, 4, 6, 7, 8

TEXT = st.lists(st.integers(min_value=100, max_value=49_151), max_size=5)


def test_the_prefix_comes_first_and_what_was_written_last():
    written = prompt.infill(CONTROL, [101], [201], [301], [102, 103])
    assert written == [301, PREFIX, 101, SUFFIX, 201, MIDDLE, 102, 103]


def test_empty_parts_leave_the_layout_as_it_is():
    assert prompt.infill(CONTROL, prefix=[101], suffix=[]) == [PREFIX, 101, SUFFIX, MIDDLE]
    assert prompt.infill(CONTROL, prefix=[], suffix=[]) == [PREFIX, SUFFIX, MIDDLE]


def test_headers_come_first():
    header = [*prompt.repo_header(TOKENIZER, "quickfill"), *prompt.file_header(TOKENIZER, "a/b.py", "x = 1\n")]
    name, path, text = map(TOKENIZER.encode, ("quickfill", "a/b.py\n", "x = 1\n"))
    assert header == [REPO, *name, FILE, *path, *text]
    assert prompt.infill(CONTROL, [101], [201], header) == [*header, PREFIX, 101, SUFFIX, 201, MIDDLE]


def test_the_text_of_a_header_is_text():
    header = prompt.file_header(TOKENIZER, "<|mask|>", "<|endoftext|>")
    assert [token for token in header if token in CONTROL.all] == [FILE]


def test_several_holes_are_marked_between_the_texts_after_the_first():
    assert prompt.infill_holes(CONTROL, [[101], [201], [202], [203]]) == [
        *[PREFIX, 101, SUFFIX, 201, HOLE, 202, HOLE, 203, MIDDLE]
    ]


@given(prefix=TEXT, suffix=TEXT)
def test_one_hole_is_the_ordinary_layout(prefix: list[int], suffix: list[int]):
    assert prompt.infill_holes(CONTROL, [prefix, suffix]) == prompt.infill(CONTROL, prefix, suffix)


def test_no_hole_is_an_error():
    with pytest.raises(ValueError, match="no hole"):
        prompt.infill_holes(CONTROL, [[101]])


@given(answers=st.lists(TEXT, min_size=1, max_size=4), beyond_the_end=TEXT)
def test_answers_are_split_at_holes_and_stop_at_the_end(answers: list[list[int]], beyond_the_end: list[int]):
    stream = [token for answer in answers for token in [HOLE, *answer]][1:]
    assert prompt.split_answers(CONTROL, stream) == answers
    assert prompt.split_answers(CONTROL, [*stream, END, *beyond_the_end]) == answers
