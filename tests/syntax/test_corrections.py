"""Corrections: small changes that make broken code sound, and what may have been meant by sound code."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coder.syntax.corrections import defects, meaning_corrections, suspicious_lines, syntax_corrections
from coder.syntax.mutations.mutations import SEMANTIC_MUTATIONS, SYNTAX_MUTATIONS, mutate
from coder.syntax.slips import is_near
from coder.syntax.soundness import is_sound, python_tree
from coder.syntax.tree import brokenness

CODE = '''\
def first(values, limit):
    """The first value below a limit."""
    for index, value in enumerate(values):
        if value < limit and index > 0:
            return value
    return None


def second(text):
    words = text.split(" ", 1)
    return words[1]
'''


def meaning(text: str) -> str | None:
    tree = python_tree(text)
    return tree and ast.dump(tree)


@settings(max_examples=30)
@given(st.sampled_from(SYNTAX_MUTATIONS), st.integers(0, 500))
def test_every_syntax_correction_leads_to_sound_code(mutation, seed):
    mutant = mutate(CODE, mutation, seed)
    assert mutant is not None
    found = syntax_corrections(mutant.text, "python")
    sound = [is_sound(correction.applied_to(mutant.text), "python") for correction in found]
    assert all(sound) or not any(sound)
    before = brokenness(mutant.text, "python") or 0
    assert all((brokenness(each.applied_to(mutant.text), "python") or 0) <= before for each in found)
    priors = [correction.prior for correction in found]
    assert priors == sorted(priors, reverse=True)
    assert suspicious_lines(mutant.text, "python")


def test_most_broken_code_can_be_mended():
    mutants = [mutate(CODE, mutation, seed) for mutation in SYNTAX_MUTATIONS for seed in range(2)]
    mended = [
        any(
            meaning(each.applied_to(mutant.text)) == meaning(CODE) for each in syntax_corrections(mutant.text, "python")
        )
        for mutant in mutants
        if mutant is not None
    ]
    assert sum(mended) > 0.8 * len(mended)


@pytest.mark.parametrize(("right", "wrong"), [("g(a);", "g(a;"), ("a) {", "a {")])
def test_other_languages_get_brackets(right, wrong):
    sound = "int f(int a) { return g(a); }\n"
    found = syntax_corrections(sound.replace(right, wrong, 1), "c")
    assert sound in [correction.applied_to(sound.replace(right, wrong, 1)) for correction in found]


def test_with_several_errors_all_before_the_next_definition_counts():
    broken = CODE.replace("values):\n        if", "values)\n        if").replace("words[1]", "words[1")
    (correction,) = syntax_corrections(broken, "python")
    once = correction.applied_to(broken)
    assert any(each.applied_to(once) == CODE for each in syntax_corrections(once, "python"))


@pytest.mark.parametrize(
    ("right", "wrong", "idle"),
    [("return words", " words", "words"), ("words = text", "words  text", "words: text")],
)
def test_a_statement_without_effect_is_the_last_resort(right, wrong, idle):
    broken = CODE.replace(right, wrong)
    priors: dict[str | None, float] = {}
    for each in reversed(syntax_corrections(broken, "python")):
        priors[meaning(each.applied_to(broken))] = each.prior
    assert priors[meaning(CODE)] > priors[meaning(CODE.replace(right, idle))]


@pytest.mark.parametrize(("text", "language"), [(CODE, "python"), ("x = (", "klingon"), ("", "python")])
def test_what_is_not_broken_needs_no_correction(text, language):
    assert syntax_corrections(text, language) == []
    assert suspicious_lines(text, language) == []


def test_only_the_region_is_corrected():
    broken = CODE.replace("limit):", "limit:")
    place = broken.index("    for")
    assert syntax_corrections(broken, "python", place, len(broken)) == []
    assert syntax_corrections(broken, "python", 0, place)


UNDOABLE = [
    each for each in SEMANTIC_MUTATIONS if each.name not in ("undefined_name", "deleted_line", "negated_condition")
]


@given(st.sampled_from(UNDOABLE), st.integers(0, 100))
def test_slips_can_be_undone(mutation, seed):
    mutant = mutate(CODE, mutation, seed)
    if mutant is not None and mutation.name != "wrong_method" and mutation.name != "wrong_literal":
        found = meaning_corrections(mutant.text, 0, len(mutant.text))
        assert any(meaning(each.applied_to(mutant.text)) == meaning(CODE) for each in found)


@pytest.mark.parametrize(
    ("name", "near"), [("retrun", True), ("iff", True), ("fro", True), ("x", False), ("return", False)]
)
def test_near_words_are_a_letter_away(name, near):
    assert any(is_near(name, word) for word in ("return", "if", "for")) is near


@settings(max_examples=40)
@given(st.text(st.sampled_from("ab(){}[]:;.= \n\t\"'#é"), max_size=30), st.sampled_from(["python", "c"]))
def test_any_text_is_read(text, language):
    for correction in syntax_corrections(text, language):
        new = correction.applied_to(text)
        assert is_sound(new, language) or defects(new, language) <= defects(text, language)
