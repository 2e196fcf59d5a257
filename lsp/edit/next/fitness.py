"""Conditions that every repetition has to meet: no half of an edit, no code in prose."""

from __future__ import annotations

from collections import Counter

from coder.syntax.scopes import CLASSES, FUNCTIONS
from lsp.edit.next.declarations import declaration_at
from lsp.edit.next.pattern import Repetition
from lsp.edit.next.words import WordKind

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
    if place.source == "rename" and _declares_another(place, edited, here):
        return False
    return here.is_prose == edited.is_prose or (here.is_prose and place.pattern.declaration is not None)


SIGNATURES = FUNCTIONS | {"function_signature_item", "method_signature", "abstract_method_signature", "method_elem"}
"""Functions, with a body or without one."""


def _declares_another(place: Repetition, edited: WordKind, here: WordKind) -> bool:
    """Return whether a place of a renamed name declares something else of that name: a parameter or a method beside a
    field. A method may follow that of the trait or the interface which it implements."""
    if here.parent == "shorthand_field_initializer":
        return True  # both a field and a variable
    found = declaration_at(place.pattern.words, place.first)
    is_parameter = found is not None and found.function is not None
    names = SIGNATURES | CLASSES
    is_name = here.parent in names and (found is not None or here.parent not in FUNCTIONS | CLASSES)
    alike = {edited.parent, here.parent} <= SIGNATURES or edited.parent == here.parent
    return is_parameter or (is_name and not alike)
