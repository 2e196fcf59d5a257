"""What of an answer may stand in the place of a region: a text is never less sound for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.editing.region_fit import MOST_LOOKED_AT, Region
from coder.syntax.languages import scan
from coder.syntax.soundness import is_sound
from coder.syntax.tree import error_spans

PIECES = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "'",
    '"',
    "\n",
    "\n    ",
    ", ",
    " = ",
    "x",
    "len",
    "'a'",
    "return ",
    "# no",
    "\\",
]

PYTHON = "def size(self):\n    return len(self.items[0], key={'a': (1, 2)})\n\n\nprint(size('x'))\n"


def fitted(text: str, part: str, answer: str, language: str = "python") -> str | None:
    """The text after the answer was taken in the place of a part of it."""
    start = text.index(part)
    region = Region(text, start, start + len(part), language)
    best = region.best(region.beginnings(answer))
    return None if best is None else region.joined(best)


@pytest.mark.parametrize(
    ("text", "part", "answer", "expected"),
    [
        ("return len(<fill>)\n", "<fill>", "self.items))", "return len(self.items)\n"),
        ("x = len(items)\n", "items", "values) + len(more", "x = len(values)\n"),
        ("x = len(items) == 0\n", "items", "values) == 0\nprint(x)", "x = len(values) == 0\n"),
        ("f(\n    a,\n)\n", "    a,", "    a, b)\nprint()", "f(\n    a, b\n)\n"),
        ("f(\n    g(a) + b,\n)\n", "a", "c), d)", "f(\n    g(c) + b,\n)\n"),
        ("f('a b')\n", "b", "c')\nprint()", "f('a c')\n"),
        ("x = a\n", "a", "f(')')", "x = f(')')\n"),
        ("f(a) + g(b)\n", "a) + g(b", "a) * g(c))", "f(a) * g(c)\n"),
        ("x = (<fill>)\ny = (\n", "<fill>", "1))", "x = (1)\ny = (\n"),
    ],
)
def test_an_answer_ends_before_a_bracket_that_it_did_not_open(text, part, answer, expected):
    assert fitted(text, part, answer) == expected


def test_in_a_language_without_grammar_its_brackets_are_what_counts():
    assert fitted("foo(bar)\n", "bar", "baz))", "ruby") == "foo(baz)\n"
    assert fitted("foo(bar)\n", "bar", "baz(", "ruby") == "foo(baz)\n"
    assert fitted("foo(bar)\n", "bar", "((", "ruby") is None


def test_a_sound_beginning_is_taken_before_one_that_leaves_the_text_as_broken_as_it_was():
    assert fitted("x = <fill>\n", "<fill>", "1\ny = ?") == "x = 1\n"
    assert fitted("x = <fill>\ny = <fill>\n", "<fill>", "1") == "x = 1\ny = <fill>\n"


@given(st.data())
def test_no_text_is_less_sound_than_it_was(data):
    written = "".join(data.draw(st.lists(st.sampled_from(PIECES), max_size=12)))
    text = data.draw(st.sampled_from([PYTHON, written, PYTHON[:30] + written + PYTHON[30:]]))
    language = data.draw(st.sampled_from(["python", "javascript", "ruby", "text"]))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    region = Region(text, start, end, language)
    answer = "".join(data.draw(st.lists(st.sampled_from(PIECES), max_size=12)))
    part = region.best(region.beginnings(answer))
    new = text if part is None else region.joined(part)
    assert new.startswith(text[:start]) and new.endswith(text[end:])
    if is_sound(text, language):
        assert is_sound(new, language)
    elif not is_sound(new, language):
        assert scan(new, language).imbalance <= scan(text, language).imbalance
        assert len(error_spans(new, language) or ()) <= len(error_spans(text, language) or ())


@pytest.mark.parametrize("filler", ["x = f(1)\n" * 20_000, "f(1);" * 40_000])
def test_of_a_long_text_no_more_is_looked_at_than_what_is_near_the_hole(filler: str):
    region = Region.hole(f"{filler}x = [a, ", f", c]\n{filler}", "python")
    assert len(region.text) <= 2 * MOST_LOOKED_AT
    assert region.text[: region.start].endswith("x = [a, ") and region.text[region.start :].startswith(", c]\n")
    assert region.balanced("b]") == "b"
    assert region.balanced("b[0]") == "b[0]"
