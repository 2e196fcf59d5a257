"""Syntax errors and where they are."""

from __future__ import annotations

import ast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coder.syntax.tree import error_spans, has_errors

CODE = '''\
def greet(name: str) -> str:
    """Say hello to née 漢字."""
    return f"hello {name}"
'''


def test_sound_code_has_no_errors():
    assert has_errors(CODE, "python") is False
    assert error_spans(CODE, "python") == []


def test_an_error_is_found_where_it_is():
    broken = CODE.replace("hello {name}", "é") + "x = = 1\n"
    assert has_errors(broken, "python") is True
    spans = error_spans(broken, "python")
    assert spans
    assert all(broken.index("x = =") <= start <= end <= len(broken) for start, end in spans)


def test_something_missing_is_an_empty_span():
    assert error_spans("for in names:\n    pass\n", "python") == [(3, 3)]


@given(st.text(st.sampled_from("ab=()[]: \n\t'\"é漢\ud800"), max_size=60))
@example("(\na)a")
def test_spans_are_ordered_disjoint_and_there_when_there_are_errors(text):
    spans = error_spans(text, "python")
    assert spans is not None
    assert bool(spans) == has_errors(text, "python")
    bounds = [bound for span in spans for bound in span]
    assert bounds == sorted(bounds)
    assert all(0 <= bound <= len(text) for bound in bounds)


@given(st.sampled_from(CODE.splitlines()), st.integers(0, 40))
def test_a_whole_module_of_sound_code_agrees_with_the_compiler(line, indent):
    text = CODE + " " * indent + line.strip() + "\n"
    try:
        ast.parse(text)
    except SyntaxError:
        return
    assert has_errors(text, "python") is False


@pytest.mark.parametrize("language", ["klingon", "json", ""])
def test_without_a_grammar_there_is_no_opinion(language):
    assert has_errors("{", language) is None
    assert error_spans("{", language) is None


def test_deep_nesting_is_no_problem():
    assert has_errors("(" * 5000, "python") is True
    assert error_spans("(" * 5000, "python")
