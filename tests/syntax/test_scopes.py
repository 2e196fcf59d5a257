"""The functions of a text, in every language with a grammar."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.syntax.scopes import functions

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
def test_functions_are_listed(language):
    assert [function.name for function in functions(CODE[language], language) or ()] == ["m"]


def test_functions_of_every_form_have_names():
    script = "const a = (x) => x;\nfunction b() {}\nclass C { d() {} }\n(() => 1)();\n"
    assert [function.name for function in functions(script, "javascript") or ()] == ["a", "b", "d"]
    assert [function.name for function in functions("int A::k() { return 1; }", "cpp") or ()] == ["A::k"]


def test_without_a_grammar_nothing_is_known():
    assert functions("x", "klingon") is None


@given(st.text(st.sampled_from("ab(){}[]:;.=\n\t é漢\"'"), max_size=60), st.sampled_from(sorted(CODE)))
def test_functions_lie_within_any_text(text, language):
    for function in functions(f"{CODE[language]}{text}", language) or ():
        assert 0 <= function.start <= function.body[0] <= function.body[1] <= function.end
