"""Which part of an answer fits between the texts around its hole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.editing.hole_borders import (
    blanks_before,
    closable,
    fitted,
    is_inside_line,
    possible_ends,
    unopened,
    without_blanks,
)

code = st.text(st.sampled_from("ab ()[]{}:,\n"), max_size=20)


@pytest.mark.parametrize(
    ("prefix", "blanks"), [("", ""), ("x", ""), ("x = ", " "), ("if x:\n    ", "    "), ("\t\t", "\t\t"), ("x\n", "")]
)
def test_blanks_before_a_hole_are_the_model_s_to_write(prefix: str, blanks: str):
    assert blanks_before(prefix) == blanks


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ("    return x", "return x"),
        ("        pass", "    pass"),
        ("return x", "return x"),
        ("  x", "x"),
        ("\n  x", "\n  x"),
    ],
)
def test_blanks_that_are_there_are_not_repeated(answer: str, left: str):
    assert without_blanks(answer, "    ") == left


@pytest.mark.parametrize(
    ("answer", "behind", "fits"),
    [
        ("people, key=len)", ", key=len)\n", "people"),
        ("f(a, key=b)", ", key=len)\n", "f(a, key=b)"),
        ("range(n):\n    x", ":\n    y\n", "range(n)"),
        ("{1: 2}[x]:", ":\n", "{1: 2}[x]"),
        ("len(words))", ")\n", "len(words)"),
        ("words[0])", ", 2)\n", "words[0]"),
        ("x", " + 1\n", "x"),
        ("x)", " + 1\n", "x)"),
    ],
)
def test_an_answer_inside_a_line_ends_before_what_follows_the_hole(answer: str, behind: str, fits: str):
    assert fitted(answer, "", behind, behind.partition("\n")[0]) == fits


@pytest.mark.parametrize(
    ("line_before", "answer", "behind", "fits"),
    [
        ('print(f"hello {', 'name}")', '")\n', "name}"),
        ("x = f(words[", "0])", ", 2)\n", "0]"),
        ("x = f(words[", "0], g(1))", ", 2)\n", "0], g(1)"),
        ("x = f(g(a), ", "b)", ", 2)\n", "b"),
        ("x = [a, (", "b), c]", ", d)]\n", "b"),
    ],
)
def test_brackets_that_only_the_line_before_opens_are_closed(line_before: str, answer: str, behind: str, fits: str):
    assert fitted(answer, line_before, behind, behind.partition("\n")[0]) == fits


@pytest.mark.parametrize(
    ("before", "behind", "most"),
    [
        ("f(", " + 1", None),
        ("f(", ", a)", 0),
        ("f(a[", ", a)", 1),
        ("f(a[0]", ", a)", 0),
        ("", "))", 0),
        ("((", "", None),
    ],
)
def test_how_many_brackets_an_answer_may_close(before: str, behind: str, most: int | None):
    assert closable(before, behind) == most


@pytest.mark.parametrize(
    ("answer", "behind", "fits"),
    [
        ("    x = 1\n    return x", "\n    return x\n", "    x = 1"),
        ("    x = 1\n    y = 2\n    return x", "\n\n    y = 2\n    return x\n", "    x = 1"),
        ("    return x", "\n    return x\n", "    return x"),
        ("    if x:\n        pass\n}", "\n}\n", "    if x:\n        pass\n}"),
        ("    x = 1", "\n    return x\n", "    x = 1"),
        ("", "\n", ""),
    ],
)
def test_lines_that_follow_the_hole_are_not_repeated(answer: str, behind: str, fits: str):
    assert fitted(answer, "", behind, "") == fits


@given(code, code, code, code)
def test_what_fits_is_a_beginning_of_the_answer(answer: str, before: str, behind: str, line: str):
    assert answer.startswith(fitted(answer, before, behind, line))


@given(code, st.none() | st.integers(0, 2))
def test_possible_ends_are_beginnings_of_the_first_line_each_longer_than_the_last(answer: str, most: int | None):
    ends = possible_ends(answer, most)
    assert all(answer.partition("\n")[0].startswith(end) and end.strip() for end in ends)
    assert ends == sorted(set(ends), key=len)
    assert most is None or all(unopened(end) <= most for end in ends)


def test_ends_are_whole_words():
    assert possible_ends("len(words) + 1):", most_closed=0) == [
        "len", "len(", "len(words", "len(words)", "len(words) +", "len(words) + 1"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("behind", "inside"),
    [
        # Nothing follows, or brackets that an answer may close in a later line.
        ("", False),
        ("\nreturn 1\n", False),
        ("  \n", False),
        (")\n", False),
        (" })", False),
        # Words follow.
        (", b)\n", True),
        (" + 1", True),
        (" # the sum", True),
        # No word follows, but the line is not over: an answer of several lines would tear it apart.
        ("):\n", True),
        (");", True),
        ('")', True),
        ('}")', True),
        (",\n", True),
        (" \\\n", True),
    ],
)
def test_a_hole_is_inside_a_line_where_more_than_closing_brackets_follow(behind: str, inside: bool):
    assert is_inside_line(behind) is inside
