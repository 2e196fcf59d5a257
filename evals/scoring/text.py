"""Scores without execution: equality, similarity, syntax, undefined names, invented APIs."""

from __future__ import annotations

import ast
import warnings

from coder.syntax.names import undefined_names
from coder.syntax.tree import has_errors
from evals.scoring.standard_library import invented_uses


def exact_match(answer: str, canonical: str) -> bool:
    """Return whether the two are the same text, white space at the end aside."""
    return answer.rstrip() == canonical.rstrip()


def edit_similarity(answer: str, canonical: str) -> float:
    """1 - edits / characters of the longer text: 1 for the same text, 0 for nothing in common (Levenshtein 1966)."""
    from rapidfuzz.distance import Levenshtein

    return float(Levenshtein.normalized_similarity(answer.rstrip(), canonical.rstrip()))


def parses(program: str, language: str) -> bool | None:
    """Return whether a whole program is syntactically right; None where no grammar of its language is installed.

    Python's own parser decides about Python, tree-sitter about all else.
    """
    if language != "python":
        broken = has_errors(program, language)
        return None if broken is None else not broken
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def new_inventions(program: str, canonical_program: str) -> list[str]:
    """The uses of the standard library that do not exist there, those of the canonical version aside."""
    known = set(invented_uses(canonical_program) or [])
    return [use for use in invented_uses(program) or [] if use not in known]


def new_undefined_names(program: str, canonical_program: str) -> list[str] | None:
    """Names that a Python program reads and nothing binds, those of its canonical version aside, each once.

    None where nothing can be said, as with star imports.
    """
    found = undefined_names(program, "python")
    if found is None:
        return None
    known = {name for name, _ in undefined_names(canonical_program, "python") or []}
    return list(dict.fromkeys(name for name, _ in found if name not in known))
