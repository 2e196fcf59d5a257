"""From a description to the beginning of its code."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.editing.scaffold import scaffold


def test_a_sentence_becomes_a_function_with_a_docstring():
    code = scaffold("return the n-th fibonacci number", "python")
    assert code.start == "def nth_fibonacci_number("
    assert code.with_parameters("n: int") == (
        'def nth_fibonacci_number(n: int):\n    """Return the n-th fibonacci number."""\n'
    )


@pytest.mark.parametrize(
    "text",
    [
        "def median(values: list[float]) -> float:",
        "async def fetch(url):",
        "class Point:",
        "# sort the rows",
        "@cache",
        "public class Point {",
        "export function area(width, height) {",
    ],
)
def test_code_stays_as_it_is(text):
    code = scaffold(text, "python")
    assert (code.start, code.signature_end) == (f"{text}\n", "")


@pytest.mark.parametrize("text", ["if", "while", "1 + 1", "?"])
def test_what_gives_no_name_becomes_a_comment(text):
    code = scaffold(text, "python")
    assert (code.start, code.signature_end) == (f"# {text}\n", "")


def test_an_open_signature_is_continued_on_its_line():
    assert scaffold("def area(", "python").start == "def area("


@pytest.mark.parametrize("text", ["import the file and (maybe) parse it", "class of a triangle", "function: none yet"])
def test_english_that_begins_like_code_is_english(text):
    assert scaffold(text, "python").signature_end


@pytest.mark.parametrize(
    ("language", "start"),
    [
        ("javascript", "// reverse a string\nfunction reverseString("),
        ("go", "// reverse a string\nfunc reverseString("),
        ("rust", "// reverse a string\nfn reverse_string("),
        ("sql", "-- reverse a string\n"),
        ("klingon", "# reverse a string\n"),
    ],
)
def test_other_languages_begin_with_a_comment(language, start):
    assert scaffold("reverse a string", language).start == start


@pytest.mark.parametrize(
    ("written", "parameters"),
    [
        ("s: str, size=(1, 2)):\n    pass", "s: str, size=(1, 2)"),
        ("a, b", "a, b"),
        ("a,\nb)", "a,"),
        ("):\n    return", ""),
        ("1 + 2", ""),
        ("", ""),
    ],
)
def test_parameters_end_where_they_are_valid(written, parameters):
    assert scaffold("reverse", "python").with_parameters(written).startswith(f"def reverse({parameters}):\n")


typed = st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from("\"'\\\n"), max_size=60)


@given(typed, st.text(max_size=20))
def test_what_stands_around_the_body_is_valid_python(text, written):
    code = scaffold(f"reverse {text}", "python")
    if code.signature_end:
        ast.parse(code.with_parameters(written) + "    return None\n")
