"""Soundness: the grammar decides, and the host's compiler adds only what its version is sure of."""

from __future__ import annotations

import ast
import sys
import sysconfig
from pathlib import Path

import pytest

from coder.api.completion import Where
from coder.api.text_requests import RepairRequest
from coder.editing.repair import repair
from coder.syntax import soundness
from coder.syntax.first_error import first_error
from coder.syntax.names import undefined_names
from coder.syntax.soundness import LONGEST_COMPILED, in_older_python, is_sound, python_tree
from tests.scripted import ScriptedModel

NEWER = {
    "quotes in a field": 'def f(user):\n    return f"{user["name"]}: {user["age"]}"\n',
    "a field in a field": 'x = 1\ny = f"{f"{f"{x}"}"}"\n',
    "a backslash in a field": "def f(xs):\n    return f\"{'\\n'.join(xs)}\"\n",
    "a comment in a field": 'def f(x):\n    return f"{\n        x  # why\n    }" + str(x)\n',
    "a type alias": "type Pairs[K, V] = dict[\n    K, V\n]\n\n\ndef f(x: Pairs) -> Pairs:\n    return x\n",
    "type parameters": "def f[T, *Ts](xs: list[T]) -> T:\n    return xs\n\n\nclass A[\n    T\n](list):\n    x = 1\n",
    "a template": 'def f(x):\n    return t"hello {x}"\n',
    "exceptions without brackets": "try:\n    f = 1\nexcept OSError, ValueError:\n    f = 2\n",
    "groups of exceptions": "try:\n    f = 1\nexcept* OSError:\n    f = 2\n",
}

BROKEN = {
    "no colon": 'def f(user)\n    return f"{user["name"]}"\n',
    "wrong indentation": 'def f(user):\n    x = f"{user["name"]}"\n      return x\n',
    "return outside": "type X = int\nreturn 1\n",
    "an empty field": 'x = f"{}"\n',
    "Python 2": 'print "a"\n',
    "a name twice": "def f[T](a, a):\n    pass\n",
}


@pytest.mark.parametrize("name", NEWER)
def test_code_that_is_newer_than_the_interpreter_is_sound(name: str):
    text = NEWER[name]
    assert is_sound(text, "python") is True
    assert python_tree(text) is not None
    assert first_error(text, "python") is None
    assert undefined_names(text, "python") == []
    older = in_older_python(text)
    assert (len(older), older.count("\n")) == (len(text), text.count("\n"))


@pytest.mark.parametrize("name", BROKEN)
def test_what_no_python_accepts_is_broken(name: str):
    assert is_sound(BROKEN[name], "python") is False
    assert python_tree(BROKEN[name]) is None


def test_an_error_behind_newer_code_is_found_where_it_is():
    text = 'type X[T] = list[T]\nx = f"{y["a"]}"\nz = = 1\n'
    assert first_error(text, "python") == text.index("= 1")


def test_what_is_nested_too_deeply_for_the_compiler_is_not_broken():
    assert is_sound(f"x = {'-' * 5000}1\n", "python") is True


def test_nothing_that_compiles_is_written_in_another_way():
    folder = Path(sysconfig.get_paths()["stdlib"])
    for file in sorted(folder.glob("[a-f]*.py")):
        text = file.read_text(encoding="utf-8")
        assert ast.dump(ast.parse(in_older_python(text))) == ast.dump(ast.parse(text)), file.name


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="the compiler accepts them itself")
def test_the_compiler_refuses_what_is_written_in_an_older_form():
    for name in ("quotes in a field", "a type alias", "type parameters"):
        with pytest.raises(SyntaxError):
            compile(NEWER[name], "text", "exec")


def test_of_a_long_text_the_grammar_alone_decides(monkeypatch: pytest.MonkeyPatch):
    """The compiler cannot be interrupted, so a deadline holds only where it is not given much."""
    compiled: list[int] = []
    compiler_error = soundness._compiler_error

    def counted(text: str, parse_only: bool) -> SyntaxError | None:
        compiled.append(len(text))
        return compiler_error(text, parse_only)

    monkeypatch.setattr(soundness, "_compiler_error", counted)
    functions = "".join(f"def function_{n}(value):\n    return value + {n}\n\n\n" for n in range(5_000))
    broken = functions.replace("function_2500(value)", "function_2500(value")
    assert (is_sound(functions, "python"), is_sound(broken, "python")) == (True, False)
    fixed = repair(ScriptedModel(likes=("value):",)), RepairRequest(broken, where=Where(path="a.py"))).text
    assert fixed == functions
    assert compiled
    assert max(compiled) <= LONGEST_COMPILED
