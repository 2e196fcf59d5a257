"""Places in files as a user writes them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.commands.targets import LineRange, Target, TargetPosition, parse_line_range, parse_position, parse_target
from coder.errors import InputError

numbers = st.integers(1, 10**9 - 1)
files = st.text(min_size=1, max_size=20).filter(lambda name: not re.search(r":[0-9]{1,9}$", name))


@given(files, numbers, st.none() | numbers)
def test_what_is_written_is_read(file, line, column):
    text = f"{file}:{line}" if column is None else f"{file}:{line}:{column}"
    assert parse_target(text) == Target(file, TargetPosition(line, column))


@given(files, numbers, numbers)
def test_line_ranges_are_read(file, first, last):
    first, last = sorted((first, last))
    assert parse_line_range(f"{file}:{first}-{last}") == LineRange(file, first, last)
    assert parse_line_range(f"{file}:{first}") == LineRange(file, first, first)


@given(st.text())
def test_anything_else_is_refused_as_bad_input(text):
    for parse in (parse_target, parse_position, parse_line_range):
        try:
            parse(text)
        except InputError as error:
            assert repr(text) in str(error)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        (r"C:\src\x.py:3", Target(r"C:\src\x.py", TargetPosition(3))),
        (r"C:\src\x.py:3:7", Target(r"C:\src\x.py", TargetPosition(3, 7))),
        ("C:/x.py:3", Target("C:/x.py", TargetPosition(3))),
        ("a:1:2:3", Target("a:1", TargetPosition(2, 3))),
        ("with space.py:1", Target("with space.py", TargetPosition(1))),
        ("-", Target("-", None)),
    ],
)
def test_names_with_colons_and_blanks(text, target):
    assert parse_target(text) == target


def test_a_separate_position_leaves_the_name_alone():
    assert parse_target("odd:12", at="3:4") == Target("odd:12", TargetPosition(3, 4))
    assert parse_target("-", at="3") == Target("-", TargetPosition(3))


@pytest.mark.parametrize(
    "text", ["x.py", "x.py:", "x.py:0", "x.py:1:0", "x.py:-1", "x.py:1:", ":3", r"C:\x.py", "", "x.py:" + "9" * 5000]
)
def test_no_position_is_refused(text):
    with pytest.raises(InputError):
        parse_target(text)


@pytest.mark.parametrize("text", ["x.py", "x.py:3-2", "x.py:0-1", "x.py:1-"])
def test_no_range_is_refused(text):
    with pytest.raises(InputError):
        parse_line_range(text)
