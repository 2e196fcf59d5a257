"""Lazy edits merged into files: what holds for all of them, and what is refused."""

from __future__ import annotations

import heapq
import shlex
import textwrap
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coder.api.completion import Where
from coder.api.text_requests import ApplyRequest
from coder.editing.apply import apply_edit
from coder.editing.changes import apply_changes
from coder.editing.merge.cutting import pieces_of
from coder.errors import InputError
from coder.syntax.mutations.mutations import SEMANTIC_MUTATIONS, mutants
from coder.syntax.scopes import functions
from tests.editing.apply.lazy import lazy_edit
from tests.editing.apply.models import Model, nobody

MARKER = "# ... existing code ..."

SHAPE = '''import math


class Shape:
    """A shape."""

    def area(self):
        return 0.0

    def name(self):
        return "shape"


def main():
    print(Shape().area())
'''

TEXTS = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in (heapq, shlex, textwrap)]


def applied(text: str, edit: str, path: str = "a.py") -> str:
    result = apply_edit(ApplyRequest(text, edit, Where(path)), nobody)
    assert apply_changes(text, result.changes) == result.text
    return result.text


@pytest.mark.parametrize("text", [*TEXTS, SHAPE, "", "x = 1"])
def test_an_edit_that_is_the_whole_file_gives_the_file(text: str):
    assert applied(text, text) == text
    assert applied("", text) == text


@pytest.mark.parametrize("text", [*TEXTS, SHAPE])
def test_an_edit_of_markers_alone_changes_nothing(text: str):
    assert applied(text, f"{MARKER}\n") == text
    assert applied(text, f"{MARKER}\n\n# ...\n# rest of the file ...\n") == text


@settings(max_examples=30)
@given(st.sampled_from(TEXTS), st.data())
def test_an_edit_that_repeats_some_of_the_file_changes_nothing(text: str, data: st.DataObject):
    pieces = pieces_of(text, "python")
    assert pieces is not None
    repeated = data.draw(st.sets(st.sampled_from(range(len(pieces.top))), min_size=1, max_size=4))
    parts = [MARKER]
    for index, piece in enumerate(pieces.top):
        if index in repeated:
            parts += [*[""] * piece.blanks, *pieces.lines[piece.first : piece.last + 1]]
        elif index - 1 in repeated:
            parts.append(f"\n{MARKER}")
    assert apply_edit(ApplyRequest(text, "\n".join(parts), Where("a.py")), Model("").score).text == text


@pytest.mark.slow
def test_a_change_with_its_surroundings_left_out_is_that_change():
    """Functions of three modules are damaged in every way there is, and mended again."""
    right = total = 0
    for text in TEXTS:
        for function in islice(functions(text, "python") or (), 1, None, 6):
            for mutant in mutants(text, 1, SEMANTIC_MUTATIONS, function.start, function.end):
                for old, new in ((text, mutant.text), (mutant.text, text)):
                    request = ApplyRequest(old, lazy_edit(old, new, "python"), Where("a.py"))
                    total += 1
                    right += apply_edit(request, Model("").score).text == new
    assert total > 100
    assert right / total > 0.97


def test_nothing_is_lost_where_an_edit_has_no_markers():
    edit = 'class Shape:\n    def name(self):\n        return "a shape"\n'
    assert applied(SHAPE, edit) == SHAPE.replace('"shape"', '"a shape"')
    assert applied(SHAPE, "def main():\n    pass\n") == SHAPE.replace("print(Shape().area())", "pass")


def test_what_stood_between_two_neighbours_is_removed():
    edit = f'{MARKER}\nclass Shape:\n    """A shape."""\n\n    def name(self):\n        {MARKER}\n\n{MARKER}\n'
    assert applied(SHAPE, edit) == SHAPE.replace("    def area(self):\n        return 0.0\n\n", "")


def test_a_fence_around_an_edit_is_none_of_it():
    assert applied("x = 1\ny = 2\n", f"```python\nx = 3\n{MARKER}\n```\n") == "x = 3\ny = 2\n"


def test_a_marker_that_the_file_has_itself_stays():
    text = "x = 1\n# ...\ny = 2\n"
    assert applied(text, text) == text
    assert applied(text, f"{MARKER}\ny = 3\n") == "x = 1\n# ...\ny = 3\n"


def test_the_end_of_the_file_stays_as_it_is():
    assert applied("x = 1\ny = 2", f"x = 3\n{MARKER}\n") == "x = 3\ny = 2"
    assert applied("x = 1\ny = 2", "x = 1\ny = 3\n") == "x = 1\ny = 3"


def test_indentation_inside_a_string_is_text():
    edit = f'def area(self):\n    """\n  As it is.\n    """\n    {MARKER}\n'
    assert 'area(self):\n        """\n  As it is.\n    """\n        return 0.0' in applied(SHAPE, edit)


@pytest.mark.parametrize("place", ["first", "second"])
def test_of_several_places_the_model_chooses(place: str):
    text = "def first(x):\n    return x\n\n\ndef second(x):\n    return x\n"
    model = Model(f"def {place}(x):\n    x += 1")
    result = apply_edit(ApplyRequest(text, f"{MARKER}\n    x += 1\n    return x\n", Where("a.py")), model.score)
    assert result.text == text.replace(f"{place}(x):\n", f"{place}(x):\n    x += 1\n")
    assert (result.readings, len(model.asked)) == (2, 4)


@pytest.mark.parametrize(
    ("text", "edit", "path", "reason"),
    [
        (SHAPE, "def main(:\n    pass\n", "a.py", "does not parse as python: see its line 1"),
        ("x = (1\n", "y = 2\n", "a.py", "as it is"),
        (
            "if (x) {\n  a();\n} else if (y) {\n  b();\n} else {\n  c();\n}\n",
            "if (x) {\n  a(1);\n}\n// ...\nelse {\n  d();\n}\n",
            "a.js",
            "repeat more of the code",
        ),
        (SHAPE, "x = 1\n", "a.unknown", "language is not known"),
        ("a: 1\n", "b: 2\n", "a.yaml", "no grammar"),
        ('{"a": 1}\n', '{"b": 2}\n', "a.json", "no grammar"),
        ("a = 1\n", "b = 2\n", "a.toml", "no grammar"),
        ("def f(): return 1\n", f"def f():\n    {MARKER}\n    return 2\n", "a.py", "a single line"),
        (SHAPE, f"def other():\n    {MARKER}\n    return 2\n", "a.py", "no more to keep"),
        (SHAPE, f'def main():\n    """\n    {MARKER}\n    """\n', "a.py", "no more to keep"),
    ],
)
def test_what_cannot_be_merged_is_refused(text: str, edit: str, path: str, reason: str):
    with pytest.raises(InputError, match=reason):
        apply_edit(ApplyRequest(text, edit, Where(path)), nobody)


def test_an_unknown_language_is_refused():
    with pytest.raises(InputError, match="no language"):
        apply_edit(ApplyRequest("", "", where=Where(language="klingon")), nobody)


SNIPPETS = st.sampled_from(
    [
        "x = 1",
        "def f():",
        "    return 1",
        "    # ... existing code ...",
        MARKER,
        "",
        "class A:",
        "  }",
        '"""',
        "é = [",
        "]",
    ]
)


@given(st.lists(SNIPPETS, max_size=8), st.lists(SNIPPETS, max_size=8))
def test_whatever_is_asked_is_answered_or_refused(text: list[str], edit: list[str]):
    try:
        result = apply_edit(ApplyRequest("\n".join(text), "\n".join(edit), Where("a.py")), Model("").score)
    except InputError:
        return
    compile(result.text, "text", "exec")


def test_time_that_is_up_while_a_file_is_read_ends_it_and_so_does_code_that_nests_too_deeply():
    long = "".join(f"def f{number}():\n    return {number}\n\n\n" for number in range(2000))
    with pytest.raises(InputError, match="time was up"):
        apply_edit(ApplyRequest(long, f"def f0():\n    return 1\n\n\n{MARKER}\n", Where("a.py"), deadline_ms=1), nobody)
    deep = "".join(f"{' ' * depth}if (a{depth}) {{\n" for depth in range(1500)) + "}\n" * 1500
    with pytest.raises(InputError, match="nests so deeply"):
        apply_edit(ApplyRequest(deep, "// ... existing code ...\nb();\n", Where("a.js")), nobody)
