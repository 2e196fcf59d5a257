"""Undefined names: all of Python's rules, and slips in the other languages."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coder.syntax.mutations.mutations import MUTATIONS, mutate
from coder.syntax.mutations.semantic_mutations import misspell
from coder.syntax.names import undefined_names
from coder.syntax.slips import LONGEST_NAME, is_slip, misspelt

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8")
    for folder in ("coder", "tests")
    for file in sorted((ROOT / folder).rglob("*.py"))
}

DEFINED = """
import os.path as path, sys, a.b
from c import d as e, f
from __future__ import annotations
def function(x, /, y=sys, *args: e, z: 'forward' = f, **kwargs) -> path: return x, y, args, z, kwargs
lambda x, *y, z=1: (x, y, z)
[i + j for i in range(3) for j in i if (last := j)]; last
{k: v for k, v in {}.items()}; {s for s in ()}; (g for g in ())
for n, (m, *o) in []: n, m, o
with open("x") as (p, q), open("y") as a.attribute: p, q
try: pass
except ValueError as error: error
class Class(function, metaclass=type): attribute = 1; other = attribute; names = [n for n in names_in_class] if 0 else 0
names_in_class = 1
class Late:
    def method(self): return later, __class__, super().method
later = 1
def outer():
    count = 0
    def inner():
        nonlocal count
        count += 1
    global made
    made = inner
made, __name__, __file__, print, _("text")
match sys:
    case Class(attribute=captured, other=1): captured
    case [head, *tail] | {"key": head, **tail}: head, tail
    case sys.path as whole if (walrus := whole): walrus
    case _: pass
annotated: int
f"{annotated!r:>{made}} {{no}} {made=}"
try: unicode
except NameError: unicode = str
@function
async def coroutine():
    async with a as entered: entered
    async for each in entered: each
    return [await each async for each in entered]
def deleted():
    def inner():
        nonlocal gone
        gone = 1
    del gone
augmented = 1; augmented += 1
first = second = third, *fourth = []; first, second, third, fourth
"""

DEFINED_SINCE_PYTHON_3_12 = """
def generic[T: (int, str), *Ts, **P](x: T, *y: *Ts) -> list[T]: ...
class Box[T](list[T]):
    item: T
type Alias[K] = dict[K, "V"]
Alias
"""


def names(text: str, language: str = "python") -> list[str] | None:
    found = undefined_names(text, language)
    if found is None:
        return None
    assert all(text[start:end] == name for name, (start, end) in found)
    return [name for name, _ in found]


@pytest.mark.parametrize("statement", [DEFINED, DEFINED_SINCE_PYTHON_3_12])
def test_what_is_bound_is_defined(statement):
    assert names(statement) == []


@pytest.mark.parametrize(
    ("text", "undefined"),
    [
        ("missing", ["missing"]),
        ("def f(a):\n    return b + f(c=a)", ["b"]),
        ("def f():\n    x = 1\nx", ["x"]),
        ("[i for i in x]; i", ["x", "i"]),
        ("class A:\n    x = 1\n    def m(self):\n        return x", ["x"]),
        ("class A:\n    x = 1\n    y = [x for _ in range(3)]", ["x"]),
        ("class A:\n    x = [1]\n    y = [i for i in x]", []),
        ("def f(a, b=a): pass", ["a"]),
        ("def f(a: A) -> B: pass", ["A", "B"]),
        ("lambda a, b=a: b", ["a"]),
        ("é.missing; ü = 1; f'{ü} {ö:{ä}}'", ["é", "ö", "ä"]),
        ("match x:\n    case Y(a=b) | z.W(b): b\n    case z.w: b", ["x", "Y", "z", "z"]),
        ("@decorate\nclass A(Base, key=value): pass", ["decorate", "Base", "value"]),
        ("try:\n    xrange\nexcept ImportError:\n    pass", ["xrange"]),
        ("x: y = z", ["y", "z"]),
        ("a.b = c[d] = 1", ["c", "d", "a"]),
    ],
)
def test_what_is_bound_nowhere_is_undefined(text, undefined):
    assert sorted(names(text) or []) == sorted(undefined)


@pytest.mark.parametrize("text", ["from a import *\nmissing", "exec(code)\nmissing", "globals()['x'] = 1\nx"])
def test_where_names_may_come_from_elsewhere_nothing_is_claimed(text):
    assert names(text) is None


def test_names_of_python_2_may_stand_behind_a_question_for_the_version():
    assert names("import sys\ntext = str if sys.version_info > (3,) else unicode") == []
    assert names("text = unicode") == ["unicode"]


def test_this_project_has_no_undefined_names():
    assert {file: found for file, text in FILES.items() if (found := names(text))} == {}


def test_misspelt_names_are_found_in_real_code():
    mutation = next(mutation for mutation in MUTATIONS if mutation.name == "undefined_name")
    mutants = [mutate(text, mutation, seed=1) for text in FILES.values() if names(text) is not None]
    found = [names(mutant.text) == [mutant.text[mutant.start : mutant.end]] for mutant in mutants if mutant]
    assert len(found) > 50
    assert all(found)


@settings(max_examples=40)
@given(
    st.sampled_from(sorted(FILES)), st.sampled_from([each for each in MUTATIONS if each.breaks_syntax]), st.integers(0)
)
def test_broken_code_makes_no_sound_name_undefined(file, mutation, seed):
    mutant = mutate(FILES[file], mutation, seed)
    if mutant is None:
        return
    line_start, line_end = mutant.text.rfind("\n", 0, mutant.start) + 1, mutant.text.find("\n", mutant.end)
    for _, (start, end) in undefined_names(mutant.text, "python") or ():
        assert line_start <= start < end <= line_end


SLIPS = {
    "javascript": "import {x} from 'x';\nfunction m(counter) {\nlet total = counter;\nreturn total + cuonter;\n}\n",
    "typescript": "function m(counter: number) { const total = counter; return total + countter; }\n",
    "go": "package a\nfunc m(counter int) int {\n\ttotal := counter\n\treturn total + couter\n}\n",
    "rust": "fn m(counter: i32) -> i32 { let total = counter; total + conuter }\n",
    "java": "class A { int m(int counter) { int total = counter; return total + countr; } }\n",
    "c": "int m(int counter) { int total = counter; return total + counnter; }\n",
    "cpp": "int m(int counter) { int total = counter; return total + countter; }\n",
}


@pytest.mark.parametrize("language", SLIPS)
def test_slips_are_found_in_other_languages(language):
    found = names(SLIPS[language], language)
    assert found is not None
    assert len(found) == 1
    assert is_slip(found[0], "counter")
    assert names(SLIPS[language].replace(found[0], "counter"), language) == []
    assert names(SLIPS[language].replace(found[0], "elsewhere"), language) == []


@pytest.mark.parametrize("name", ["value1", "values", "value_", "colour", "Valuee"])
def test_another_name_is_no_slip(name):
    assert not is_slip(name, "value")


@given(st.sampled_from(["counter", "document", "language"]), st.integers())
def test_a_slip_is_a_slip_in_both_directions(word, seed):
    slip = misspell(word, random.Random(seed))
    assert is_slip(slip, word) == is_slip(word, slip)


NAMES = st.sets(st.text(st.sampled_from("abs1_"), min_size=3, max_size=8), max_size=20)


@given(NAMES, NAMES)
def test_what_is_misspelt_among_many_is_what_is_a_slip_of_one(found, known):
    assert misspelt(found, known) == {name for name in found if any(is_slip(name, other) for other in known)}


def test_a_name_too_long_to_be_typed_is_no_slip():
    name = "a" * (LONGEST_NAME // 2) + "b" * (LONGEST_NAME // 2 - 1)
    assert is_slip(name.replace("ab", "acb"), name)
    assert not is_slip(name.replace("ab", "accb"), name.replace("ab", "acb"))
    assert not misspelt([name.replace("ab", "accb")], [name.replace("ab", "acb")])


def test_without_a_grammar_there_is_no_opinion():
    assert undefined_names("missing", "klingon") is None


@given(st.text(st.sampled_from("ab(){}[]:;.=\n\t é漢\"'\ud800"), max_size=60), st.sampled_from([*SLIPS, "python"]))
def test_any_text_is_read(text, language):
    found = undefined_names(text, language)
    assert found is None or all(0 <= start < end <= len(text) for _, (start, end) in found)
