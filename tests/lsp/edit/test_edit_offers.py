"""Which edits are offered where."""

from __future__ import annotations

import pytest

from coder.api.text_requests import Diagnostic
from coder.editing.unwritten import MARK
from lsp.documents import Document
from lsp.edit.edit_offers import LONGEST_PARSED, function_around, holes, offers, repair_task

CLASS = """import os


class A:
    def mean(self, values):
        def inner():
            return 1

        return sum(values)


x = 1
"""


def document(text: str, language: str = "python") -> Document:
    return Document("file:///a.py", language, 1, text)


def titles(
    text: str,
    start: int,
    end: int,
    diagnostics: tuple[Diagnostic, ...] = (),
    language: str = "python",
    *,
    rewrites: bool = True,
) -> list[str]:
    return [offer.title for offer in offers(document(text, language), start, end, diagnostics, rewrites=rewrites)]


def test_the_innermost_function_around_is_offered():
    place = CLASS.index("return 1")
    assert titles(CLASS, place, place) == ["Rewrite inner", "Write the docstring of inner"]
    place = CLASS.index("return sum")
    assert titles(CLASS, place, place)[0] == "Rewrite mean"


def test_a_selection_is_offered_to_be_rewritten():
    start = CLASS.index("x = 1")
    assert titles(CLASS, start, start + 5) == ["Rewrite the selection"]
    assert titles(CLASS, start, start + 1) == []  # an editor that has always one character selected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("python", "def f(x):\n    return ‸x\n", ["Write the docstring of f"]),
        ("python", 'def f(x):\n    """F."""\n    return ‸x\n', []),
        ("python", 'def f(x):\n    """F."""\n    ‸pass\n', ["Rewrite f"]),
        ("python", "def f(x):\n    ‸raise NotImplementedError\n", ["Rewrite f", "Write the docstring of f"]),
        ("typescript", "function f(x) {\n  return ‸x;\n}\n", []),
        ("typescript", "function f(x) {\n‸}\n", ["Rewrite f"]),
        ("go", "func f() {‸\n}\n", ["Rewrite f"]),
        ("rust", "fn f() -> i32 {\n    ‸1\n}\n", []),
    ],
)
def test_a_model_that_would_lose_the_old_lines_is_offered_only_where_there_are_none(language, text, expected):
    place = text.index("‸")
    assert titles(text.replace("‸", ""), place, place, language=language, rewrites=False) == expected


def test_a_selection_of_lines_is_not_offered_to_such_a_model():
    start = CLASS.index("x = 1")
    assert titles(CLASS, start, start + 5, rewrites=False) == []
    assert titles("x = <fill>\n", 4, 10, rewrites=False) == ["Rewrite the selection", "Fill the hole"]


def test_a_docstring_is_for_python_alone():
    text = "function f(a) {\n  return a;\n}\n"
    assert titles(text, 20, 20, language="javascript") == ["Rewrite f"]


@pytest.mark.parametrize(("count", "title"), [(1, "Fill the hole"), (2, "Fill 2 holes"), (130, "Fill 100 holes")])
def test_holes_are_offered_to_be_filled(count, title):
    text = f"x = {MARK}\n" * count
    assert titles(text, 0, 0) == [title]
    assert all(text[start:end] == MARK for start, end in holes(text))


@pytest.mark.parametrize("text", ["def f(x):\n    return y\n", "def f(x:\n    return x\n"])
def test_what_the_language_finds_wrong_is_offered_to_be_repaired(text):
    wrong = text.index("\n    return") + len("\n    return ") if "y" in text else len("def f(x:")
    assert "Repair" in titles(text, wrong, wrong)


def test_what_the_editor_finds_wrong_names_its_reason():
    found = titles("x = 1\n", 0, 0, (Diagnostic(0, 1, "x is unused\nand more"),))
    assert found[0] == "Repair: x is unused"


def test_in_a_language_without_grammar_nothing_is_repaired():
    assert titles("x = (\n", 0, 0, (Diagnostic(0, 1, "broken"),), language="ruby") == []


def test_broken_syntax_is_repaired_in_the_lines_around_and_other_things_on_their_own():
    lines = [f"x{number} = {number}\n" for number in range(60)]
    text = "".join(lines)
    at = text.index("x30")
    (region,) = repair_task(document(text), at, at + 3, [Diagnostic(at, at + 3), Diagnostic(0, 1)]).spans
    assert text[slice(*region)] == "x30 = 30"
    broken = text.replace("x29 = 29", "x29 = (29")
    at = broken.index("x30")
    task = repair_task(document(broken), at, at + 3, [Diagnostic(at, at + 3), Diagnostic(0, 1)])
    ((start, end),) = task.spans
    assert broken[start:end].startswith("x10 = 10") and broken[start:end].endswith("x50 = 50")
    assert task.diagnostics == (Diagnostic(at, at + 3),)


def test_a_document_too_long_to_be_parsed_in_time_has_no_function():
    text = CLASS + "#" * LONGEST_PARSED
    assert function_around(document(text), 60, 60) is None
