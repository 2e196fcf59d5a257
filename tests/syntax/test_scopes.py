"""What encloses a place, and how far a hole there reaches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.syntax.scopes import functions, hole_border, scopes_at

CODE = {
    "python": "class A:\n    def m(self, x):\n        if x:\n            return HERE(1, 2)\n        return 0\n",
    "javascript": "class A { m(x) {\n  if (x) {\n    return HERE(1, 2);\n  }\n} }\n",
    "typescript": "class A { m(x: number): number {\n  if (x) {\n    return HERE(1, 2);\n  }\n} }\n",
    "go": "package a\nfunc m(x int) int {\n\tif x > 0 {\n\t\treturn HERE(1, 2)\n\t}\n\treturn 0\n}\n",
    "rust": "impl A { fn m(&self, x: i32) -> i32 {\n  if x > 0 {\n    return HERE(1, 2);\n  }\n  0\n} }\n",
    "java": "class A { int m(int x) {\n  if (x > 0) {\n    return HERE(1, 2);\n  }\n  return 0;\n} }\n",
    "c": "int *m(int x) {\n  if (x) {\n    return HERE(1, 2);\n  }\n  return 0;\n}\n",
    "cpp": "class A { int m(int x) {\n  if (x) {\n    return HERE(1, 2);\n  }\n  return 0;\n} };\n",
}


@pytest.mark.parametrize("language", CODE)
def test_block_function_and_class_enclose_a_place(language):
    text = CODE[language]
    scopes = scopes_at(text, language, text.index("HERE"))
    assert scopes is not None
    outer = [] if language in ("go", "c") else [("class", "A")]
    assert [(scope.kind, scope.name) for scope in scopes] == [("block", None), ("function", "m"), *outer]
    for scope in scopes:
        assert scope.start <= scope.body[0] <= text.index("HERE") < scope.body[1] <= scope.end


@pytest.mark.parametrize("language", CODE)
def test_a_hole_grows_with_its_size(language):
    text, start = CODE[language], CODE[language].index("HERE")

    def covered(size):
        border = hole_border(text, language, start, start + 4, size)
        assert border is not None
        return text[slice(*border)].strip()

    assert covered("token") == "HERE"
    assert covered("expression") == "HERE(1, 2)"
    assert covered("line").removesuffix(";") == "return HERE(1, 2)"
    assert covered("statement").removesuffix(";") == "return HERE(1, 2)"
    assert covered("block").strip("{}; \t\n") == "return HERE(1, 2)"


@pytest.mark.parametrize("language", CODE)
def test_functions_are_listed(language):
    assert [function.name for function in functions(CODE[language], language) or ()] == ["m"]


def test_functions_of_every_form_have_names():
    script = "const a = (x) => x;\nfunction b() {}\nclass C { d() {} }\n(() => 1)();\n"
    assert [function.name for function in functions(script, "javascript") or ()] == ["a", "b", "d"]
    assert [function.name for function in functions("int A::k() { return 1; }", "cpp") or ()] == ["A::k"]


@pytest.mark.parametrize(
    ("indentation", "names"),
    [(0, []), (2, ["A"]), (4, ["A"]), (6, ["m", "A"]), (8, ["m", "A"]), (12, [None, "m", "A"])],
)
def test_on_a_blank_line_the_column_decides(indentation, names):
    text = "class A:\n    def m(self):\n        if x:\n            pass\n\n" + " " * indentation + "\n\ny = 1\n"
    scopes = scopes_at(text, "python", text.index("\n\ny"))
    assert [scope.name for scope in scopes or ()] == names


def test_without_a_grammar_only_lines_have_borders():
    assert scopes_at("x", "klingon", 0) is None
    assert functions("x", "klingon") is None
    assert hole_border("x", "klingon", 0, 1, "token") is None
    assert hole_border("a\n  b c\nd", "klingon", 4, 5, "line") == (4, 7)


@given(
    st.text(st.sampled_from("ab(){}[]:;.=\n\t é漢\"'"), max_size=60),
    st.sampled_from(sorted(CODE)),
    st.sampled_from(["token", "expression", "line", "statement", "block"]),
    st.data(),
)
def test_borders_cover_what_they_should_in_any_text(text, language, size, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    border = hole_border(text, language, start, end, size)
    assert border is not None
    assert 0 <= border[0] <= start
    assert end <= border[1] <= len(text)
    for scope in scopes_at(text, language, start) or ():
        assert 0 <= scope.start <= scope.body[0] <= scope.body[1] <= scope.end <= len(text)
