"""The probability that a repetition is wanted."""

from __future__ import annotations

import keyword
import math
from dataclasses import dataclass

from lsp.edit.next.pattern import Repetition

WEIGHTS = {
    "bias": -0.338,
    "support": 0.603,
    "age": -0.6,
    "left": 0.028,
    "right": 0.489,
    "kind": 0.069,
    "dot": 1.547,
    "rename": 0.089,
    "declared": 0.241,
    "local": -0.052,
    "known": -1.388,
    "prose": -2.67,
    "several": 0.098,
    "deletion": -0.482,
    "frequent": -0.264,
    "below": 1.45,
    "far": -0.087,
    "likeness": 1.085,
    "kept": 0.4,
    "changes": -0.516,
    "short": 1.225,
    "long": -1.452,
    "between": -0.292,
    "joint": 0.152,
    "argument": -0.536,
    "signature": 0.091,
}
"""Of the log-odds, got by `python -m benchmarks.edit_replay --fit`: a logistic regression over the places found in edit
sessions of eight packages (`benchmarks.releases.DEVELOPED_ON`). What each stands for is in `features`."""

FEATURES = tuple(WEIGHTS)


def features(place: Repetition) -> tuple[float, ...]:
    """In the order of `FEATURES`."""
    pattern, atom, words = place.pattern, place.pattern.atom, place.pattern.words
    declaration, (edited, here) = pattern.declaration, place.kinds
    frequent = len(words.places.get(atom.old[0], ())) if atom.old else 0
    known = sum(len(words.places.get(word, ())) for word in atom.new[:1]) - pattern.support
    lines = words.text.count("\n", min(atom.end, place.start), max(atom.end, place.start))
    return (
        1.0,
        math.log2(min(pattern.support, 4)),
        float(min(pattern.age, 3)),
        float(place.left),
        float(place.right),
        float(edited == here),
        float(_has_dot(words.words, place.first) == _has_dot(words.words, pattern.first)),
        float(atom.is_rename and not keyword.iskeyword(atom.new[0])),
        float(declaration is not None),
        float(declaration is not None and declaration.scope is not None),
        float(atom.is_rename and known > 0),
        float(here is not None and here.is_prose),
        float(len(atom.old) > 1),
        float(not atom.new),
        math.log2(1 + frequent),
        float(place.start > atom.end),
        math.log2(1 + lines),
        place.likeness,
        pattern.edit.kept,
        math.log2(len(pattern.edit.all)),
        float(len("".join(atom.old)) < 3 and bool(atom.old)),
        math.log2(1 + len(atom.new)),
        float(place.rule == "between"),
        float(place.rule == "joint"),
        float(place.rule == "argument"),
        float(place.rule == "signature"),
    )


@dataclass(frozen=True)
class Likelihood:
    """A logistic model: the probability that the user makes the edit.

    Attributes:
        weights: one for each of `FEATURES`.
        threshold: what is offered unasked is at least so likely; chosen on other packages (`CHOSEN_ON`), such that
            more than 60 % of it is exactly right in edits between releases, too.
    """

    weights: tuple[float, ...] = tuple(WEIGHTS.values())
    threshold: float = 0.85

    def of(self, place: Repetition) -> float:
        """From 0 to 1."""
        log_odds = sum(weight * value for weight, value in zip(self.weights, features(place), strict=True))
        return 0.5 + 0.5 * math.tanh(log_odds / 2.0)


LIKELIHOOD = Likelihood()


def _has_dot(words: list[str], index: int) -> bool:
    return index > 0 and words[index - 1] == "."
