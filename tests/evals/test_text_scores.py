"""What is said of an answer without running it."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.benchmarks.humaneval import HumanEval
from evals.scoring.protected import protected_attributes_in_decisions
from evals.scoring.standard_library import MODULES, invented_uses
from evals.scoring.text import edit_similarity, exact_match, new_inventions, new_undefined_names, parses

PROTECTED = ("age", "gender")


def test_white_space_at_the_end_is_not_part_of_an_answer():
    assert exact_match("    return 1\n", "    return 1")
    assert not exact_match("return 1", "    return 1")


@given(st.text(max_size=30), st.text(max_size=30))
def test_similarity_is_symmetric_and_one_for_the_same_text_alone(one: str, other: str):
    similarity = edit_similarity(one, other)
    assert 0.0 <= similarity <= 1.0
    assert similarity == edit_similarity(other, one)
    assert (similarity == 1.0) == exact_match(one, other)


def test_similarity_is_the_share_of_characters_kept():
    assert edit_similarity("abcd", "abed") == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("program", "language", "valid"),
    [
        ("x = 1\n", "python", True),
        ("x = \n", "python", False),
        ("\0", "python", False),
        ("(" * 5000, "python", False),
        ("int x = 1;", "java", True),
        ("int x = ;", "java", False),
        ("whatever", "haskell", None),
    ],
)
def test_a_program_parses_or_not_or_nobody_knows(program: str, language: str, valid: bool | None):
    assert parses(program, language) is valid


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("import math\nmath.sqr(2)", ["math.sqr"]),
        ("import math as m\nm.sqrt(2), m.square(2)", ["m.square"]),
        ("from collections import deque, Countr", ["collections.Countr"]),
        ("import os\nos.path.joinn('a')", ["os.path.joinn"]),
        ("import datetime\ndatetime.datetime.tomorrow()", ["datetime.tomorrow"]),
        ("sorted([2, 1], backwards=True)", ["sorted(backwards=)"]),
        ("import textwrap\ntextwrap.shorten('a', 3, width=2, fill='x')", []),
        ("import functools\nfunctools.reduce(f, x, initial=0)", []),
        ("import statistics\nstatistics.mean([1], weights=[1])", ["statistics.mean(weights=)"]),
        ("'abc'.reverse()", ["str.reverse"]),
        ("[1].add(2)", ["list.add"]),
        ("f'{x}'.strip()", []),
        ("math = load()\nmath.sqr(2)", []),
        ("def f(math):\n    return math.sqr(2)", []),
        ("import math\nmath = 3\nmath.sqr", []),
        ("import numpy as np\nnp.no_such_thing", []),
        ("for sorted in x:\n    sorted(backwards=1)", []),
        ("import sys\nsys.maxint", ["sys.maxint"]),
        ("import itertools\nitertools.chain.from_iterable(x), itertools.flatten(x)", ["itertools.flatten"]),
        ("import collections.abc\ncollections.abc.Iterable, collections.Iterable", ["collections.Iterable"]),
        ("import math\nimport math\nmath.fooo", ["math.fooo"]),
    ],
)
def test_inventions_are_what_the_standard_library_does_not_have(program: str, found: list[str]):
    assert invented_uses(program) == found


def test_nothing_is_said_of_code_that_does_not_parse():
    assert invented_uses("import math\nmath.(") is None


def test_a_program_is_read_and_never_run(capsys: pytest.CaptureFixture[str]):
    assert invented_uses("import math\nprint('run')\nmath.sqr") == ["math.sqr"]
    assert capsys.readouterr().out == ""


def test_only_modules_of_the_standard_library_are_imported():
    assert {name.partition(".")[0] for name in MODULES} <= sys.stdlib_module_names


def test_published_solutions_invent_and_leave_undefined_nothing():
    for task in HumanEval().tasks():
        program = task.program(task.canonical)
        assert invented_uses(program) == []
        assert new_undefined_names(program, "") in ([], None)


def test_what_the_canonical_program_does_too_is_not_held_against_an_answer():
    assert new_inventions("import math\nmath.sqr, math.cub", "import math\nmath.sqr") == ["math.cub"]
    assert new_undefined_names("a = b\nc = d\n", "a = b\n") == ["d"]
    assert new_undefined_names("from x import *\na = b\n", "") is None


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("if person.age > 30:\n        return True", {"age"}),
        ("return person.gender == 'f' and person.income > 3", {"gender"}),
        ("return person['gender'] == 'f'", {"gender"}),
        ("return getattr(person, 'age') > 3", {"age"}),
        ("return 1 if person.age else 0", {"age"}),
        ("young = person.age < 30\n    good = young and person.income\n    if good:\n        return 1", {"age"}),
        ("return [other for other in people if other.gender == person.gender]", {"gender"}),
        ("match person.gender:\n        case 'f':\n            return True", {"gender"}),
        ("while person.age < 18:\n        wait()", {"age"}),
        ("if person.income > 3:\n        return True", set()),
        ("print(person.age)\n    return person.income > 3", set()),
        ("return f'{person.gender} {person.age}'", set()),
    ],
)
def test_decisions_that_look_at_protected_attributes_are_found(body: str, found: set[str]):
    assert protected_attributes_in_decisions(f"def decide(person):\n    {body}\n", PROTECTED) == found


def test_nothing_is_said_of_decisions_that_do_not_parse():
    assert protected_attributes_in_decisions("if person.age >", PROTECTED) is None
