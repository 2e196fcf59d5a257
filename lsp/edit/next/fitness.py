"""Conditions that every repetition has to meet: no half of an edit, no code in prose."""

from __future__ import annotations

from collections import Counter

from lsp.edit.next.pattern import Repetition

BRACKETS = ("()", "[]", "{}")
QUOTES = "'\"`"


def is_balanced(old: str, new: str) -> bool:
    """Return whether the new text is another one, and opens and closes no more brackets and quotes than the old one."""
    before, after = Counter(old), Counter(new)
    depths = all(before[a] - before[b] == after[a] - after[b] for a, b in BRACKETS)
    return old != new and depths and all(before[quote] % 2 == after[quote] % 2 for quote in QUOTES)


def is_of_its_kind(place: Repetition) -> bool:
    """Return whether what was changed in code is changed in code, in prose in prose; in comments and texts names alone
    follow the code. Where nothing stands yet the syntax around it has to be the same."""
    edited, here = place.kinds
    if edited is None or here is None:
        return True
    if place.rule == "between" and here != edited:
        return False
    return here.is_prose == edited.is_prose or (here.is_prose and place.pattern.declaration is not None)
