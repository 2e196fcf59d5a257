"""Small, documented damage to Python code: what a repair is measured by, and what a model can learn to notice.

A mutation proposes replacements; `mutate` draws one by a seed and checks that it does what its kind promises: after a
mutation of `SYNTAX_MUTATIONS` the text does not parse, after one of `SEMANTIC_MUTATIONS` it still does and means
something else.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from coder.errors import InputError
from coder.syntax.mutations.semantic_mutations import SEMANTIC
from coder.syntax.mutations.syntax_mutations import SYNTAX
from coder.syntax.soundness import python_tree
from coder.syntax.tree import SyntaxTree

ATTEMPTS = 24
"""The number of proposals of a mutation that are tried before the code counts as one that it cannot damage."""

Proposals = Callable[[SyntaxTree, int, int, random.Random], Iterator[tuple[int, int, str]]]
"""From a tree and a region of its text: replacements of characters `start` to `end` by a text."""


@dataclass(frozen=True)
class Mutation:
    """A kind of damage.

    Attributes:
        name: of the function that proposes it, whose docstring describes it.
        breaks_syntax: whether the damaged text no longer parses; otherwise it parses to another tree.
    """

    name: str
    breaks_syntax: bool
    proposals: Proposals

    @property
    def description(self) -> str:
        return " ".join((self.proposals.__doc__ or "").split())


@dataclass(frozen=True)
class Mutant:
    """Damaged code.

    Attributes:
        text: the whole damaged text.
        start, end: where in it the damage is; empty where something is missing.
        original: what stood there: `text[:start] + original + text[end:]` is the sound text.
        mutation: what was done.
    """

    text: str
    start: int
    end: int
    original: str
    mutation: Mutation

    @property
    def sound(self) -> str:
        return self.text[: self.start] + self.original + self.text[self.end :]


SEMANTIC_MUTATIONS = tuple(Mutation(function.__name__, False, function) for function in SEMANTIC)
SYNTAX_MUTATIONS = tuple(Mutation(function.__name__, True, function) for function in SYNTAX)
MUTATIONS = SEMANTIC_MUTATIONS + SYNTAX_MUTATIONS


def mutate(text: str, mutation: Mutation, seed: int, start: int = 0, end: int | None = None) -> Mutant | None:
    """Damage the region once, at a place drawn by `seed`; None where the mutation finds nothing to damage.

    Args:
        text: Python that parses. start, end: the region, in characters; by default all of it.

    Raises InputError when the text does not parse.
    """
    sound = _parsed(text)
    if sound is None:
        raise InputError("only code that parses can be damaged; this text is broken already")
    tree = SyntaxTree.of(text, "python")
    assert tree is not None, "the grammar of Python is a dependency"
    # A string as seed is hashed the same way by every interpreter and in every process.
    generator = random.Random(f"{mutation.name} {seed}")
    proposals = list(mutation.proposals(tree, start, len(text) if end is None else end, generator))
    generator.shuffle(proposals)
    for first, last, replacement in proposals[:ATTEMPTS]:
        damaged = text[:first] + replacement + text[last:]
        parsed = _parsed(damaged)
        if (parsed is None) if mutation.breaks_syntax else (parsed not in (None, sound)):
            return Mutant(damaged, first, first + len(replacement), text[first:last], mutation)
    return None


def mutants(
    text: str, seed: int, mutations: Iterable[Mutation] = MUTATIONS, start: int = 0, end: int | None = None
) -> Iterator[Mutant]:
    """One mutant for each of the mutations that the region admits. Raises InputError when the text does not parse."""
    for mutation in mutations:
        if (mutant := mutate(text, mutation, seed, start, end)) is not None:
            yield mutant


def _parsed(text: str) -> str | None:
    """The meaning of the text: its tree without positions; None when it does not parse."""
    tree = python_tree(text)
    return None if tree is None else ast.dump(tree)
