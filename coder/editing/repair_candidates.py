"""Candidates for the place of something doubtful in sound code."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from coder.api.completion import TokenScore
from coder.syntax.line_corrections import Correction
from coder.syntax.python_names import bound_names
from coder.syntax.slips import LONGEST_NAME
from coder.syntax.tree import SyntaxTree

MOST_NAMES = 2000
"""Names of a text that one is compared with: those that are about as long."""

SIMILARITY_WEIGHT = 12.0
"""Nats that a name like the undefined one is worth, over one that has nothing in common with it."""

CHARACTERS_OF_A_TOKEN = 40
"""Longer than any token of code that matters."""


def similar_names(text: str, start: int, end: int, count: int) -> list[Correction]:
    """Names that Python code defines in the place of one that it does not, those that look like it first; none in the
    place of one that is too long to have been typed."""
    tree = SyntaxTree.of(text, "python")
    assert tree is not None, "the grammar of Python is a dependency"
    name = text[start:end]
    if len(name) > LONGEST_NAME:
        return []
    bound = {other for other in bound_names(tree) - {name} if len(other) <= LONGEST_NAME}
    bound = set(sorted(bound, key=lambda other: (abs(len(other) - len(name)), other))[:MOST_NAMES])
    similarity = {other: SequenceMatcher(None, name, other).ratio() for other in bound | set(dir(builtins)) - {name}}
    own = sorted(bound, key=lambda other: (-similarity[other], other))[: count // 2]
    others = sorted(set(similarity) - set(own), key=lambda other: (-similarity[other], other))[: count - len(own)]
    best = sorted([*own, *others], key=lambda other: -similarity[other])
    return [Correction(start, end, other, SIMILARITY_WEIGHT * (similarity[other] - 1.0)) for other in best]


def promising(
    text: str, start: int, scores: Sequence[TokenScore], corrections: Iterable[Correction]
) -> list[Correction]:
    """The corrections whose first token the model would rather have written than what is there, the surest first.

    Args:
        scores: those of the text from `start` on.
    """
    gains: dict[Correction, float] = {}
    by_position = {position: score for score in scores for position in range(start + score.start, start + score.end)}
    for correction in corrections:
        if (score := by_position.get(correction.start)) is None:
            continue
        first = start + score.start
        old = text[first : start + score.end]
        behind = text[correction.end : correction.end + CHARACTERS_OF_A_TOKEN]
        new = text[first : correction.start] + correction.text + behind
        for alternative, log_probability in score.alternatives:
            if new.startswith(alternative) and alternative != old:
                gains[correction] = max(gains.get(correction, 0.0), log_probability - score.log_probability)
    return sorted(gains, key=lambda correction: -gains[correction] - correction.prior)
