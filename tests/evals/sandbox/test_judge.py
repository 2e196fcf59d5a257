"""What a test may use, and how arguments change, on the judge's side."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.sandbox.guest.judge import free_names, helper_code, shortened
from evals.sandbox.guest.remote import update

PLAIN = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("test", "names"),
    [
        ("assert f(1) == 2", {"f"}),
        ("import math\nassert math.isclose(f(x=1), 2)", {"f"}),
        ("def check(candidate):\n    assert candidate(helper(1))", {"helper"}),
        ("n = 3\nassert [f(i) for i in range(n)] == [g]", {"f", "range", "g"}),
        ("class A:\n    def m(self):\n        return Pair(self)", {"Pair"}),
    ],
)
def test_names_that_a_test_does_not_bind_are_asked_of_the_candidate(test, names):
    assert free_names(test) == names


def test_what_a_prompt_defines_besides_the_entry_point_is_kept():
    prompt = "import math\n\ndef helper(x):\n    return x\n\ndef f(x):\n    '''Do it.'''\n"
    scope: dict[str, object] = {}
    exec(compile(helper_code(prompt, "f"), "prompt", "exec"), scope)
    assert {"math", "helper"} <= set(scope)
    assert "f" not in scope


def test_a_prompt_may_end_in_the_middle_of_a_statement():
    scope: dict[str, object] = {}
    exec(compile(helper_code("import math\n\ndef f(x):\n    return math.sqrt(", "f"), "prompt", "exec"), scope)
    assert "math" in scope


@given(PLAIN, PLAIN)
def test_arguments_become_what_the_candidate_made_of_them(value, changed):
    holder = [value]
    update(holder, [copy.deepcopy(changed)])
    assert holder == [changed]


def test_what_stays_where_it_was_keeps_its_identity():
    row = [1, 2]
    table = [row, {"row": row}]
    update(table, [[1, 3], {"row": [1, 3]}])
    assert table[0] is row
    assert table == [[1, 3], {"row": [1, 3]}]


def test_long_texts_keep_their_ends():
    assert shortened("a" * 100 + "b" * 100, most=20) == "aaaaaaaaaa\n...\nbbbbbbbbbb"
