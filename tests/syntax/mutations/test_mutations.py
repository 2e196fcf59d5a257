"""Mutations: what each promises, on real code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coder.errors import InputError
from coder.syntax.mutations.mutations import MUTATIONS, SEMANTIC_MUTATIONS, SYNTAX_MUTATIONS, mutants, mutate

ROOT = Path(__file__).resolve().parents[3]
FUNCTIONS = [
    ast.unparse(node)
    for file in sorted((ROOT / "coder").rglob("*.py"))
    for node in ast.parse(file.read_text(encoding="utf-8")).body
    if isinstance(node, ast.FunctionDef | ast.ClassDef)
]
SAMPLE = '''\
def count(words, limit=10):
    """Naïve (but quick)."""
    seen, total = [], 0
    for word in words:
        if word in seen or not word:
            continue
        seen.append(word.lower())
        total += len(word) - 1
        if isinstance(word, str) and total < limit:
            found = True
    if found:
        return total
    return min(limit, total)
'''


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_every_mutation_is_described_and_applies_to_ordinary_code(mutation):
    assert len(mutation.description) > 20
    assert mutate(SAMPLE, mutation, seed=0) is not None


@settings(max_examples=60)
@given(st.sampled_from(FUNCTIONS), st.sampled_from(MUTATIONS), st.integers(0, 1000))
def test_a_mutation_keeps_its_promise(text, mutation, seed):
    mutant = mutate(text, mutation, seed)
    if mutant is None:
        return
    assert mutant.text != text
    assert mutant.sound == text
    assert 0 <= mutant.start <= mutant.end <= len(mutant.text)
    assert mutant == mutate(text, mutation, seed)
    try:
        tree = ast.parse(mutant.text)
        compile(tree, "text", "exec", dont_inherit=True)  # a `yield` may be outside of its function now
        parsed = ast.dump(tree)
    except (SyntaxError, ValueError):
        assert mutation in SYNTAX_MUTATIONS
    else:
        assert mutation in SEMANTIC_MUTATIONS
        assert parsed != ast.dump(ast.parse(text))


@given(st.integers(0, 100))
def test_only_the_region_is_damaged(seed):
    start, end = SAMPLE.index("seen.append"), SAMPLE.index("        if isinstance")
    found = list(mutants(SAMPLE, seed, start=start, end=end))
    assert found
    for mutant in found:
        assert mutant.text.startswith(SAMPLE[:start])
        assert mutant.text.endswith(SAMPLE[end:])


def test_seeds_differ():
    assert len({mutant.text for seed in range(10) for mutant in mutants(SAMPLE, seed)}) > 3 * len(MUTATIONS)


def test_what_is_broken_cannot_be_damaged():
    with pytest.raises(InputError, match="broken already"):
        list(mutants("def f(:", 0))
