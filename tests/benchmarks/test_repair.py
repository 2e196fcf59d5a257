"""The benchmark of repairs: what it damages, and how it counts."""

from __future__ import annotations

import ast

from benchmarks.repair import Verdict, by_mutation, figures, package_functions, sample
from coder.syntax.mutations.mutations import mutants


def test_functions_are_whole_and_can_be_damaged():
    functions = list(package_functions())
    assert len(functions) > 100
    for function in functions[:20]:
        text = function.text[function.start : function.end]
        assert text.strip().startswith(("def ", "async def "))
    first = functions[0]
    for mutant in mutants(first.text, 0, start=first.start, end=first.end):
        assert first.start <= mutant.start
        assert mutant.sound == first.text
        assert ast.parse(mutant.sound)


def test_a_sample_is_drawn_by_its_seed():
    assert sample(10, 0) == sample(10, 0)
    assert len(sample(10, 0)) == 10
    assert sample(10, 0) != sample(10, 1)


def test_shares_are_counted():
    verdicts = [
        Verdict("a", "missing_colon", True, True, 1.0),
        Verdict("a", "missing_colon", False, True, 2.0),
        Verdict("a", "off_by_one", False, False, 3.0),
        Verdict("a", None, True, False, 4.0),
    ]
    meaning, syntax = by_mutation(verdicts[:3])
    assert (meaning["mutation"], meaning["restored"], meaning["left alone"]) == ("off_by_one", 0.0, 1.0)
    assert (syntax["mutation"], syntax["restored"], syntax["changed otherwise"]) == ("missing_colon", 0.5, 0.5)
    totals = figures(verdicts)
    assert (totals["damaged_functions"], totals["sound_functions"]) == (3, 1)
    assert (totals["restored_syntax"], totals["restored_meaning"], totals["sound_left_alone"]) == (0.5, 0.0, 1.0)
    assert totals["median_seconds"] == 2.5
