"""From a text and what was changed in it lately to what may be changed next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lsp.edit.next.adapted_calls import adapted_calls, is_call_of
from lsp.edit.next.atoms import Atom, atoms
from lsp.edit.next.fitness import is_balanced, is_of_its_kind
from lsp.edit.next.history import EditHistory
from lsp.edit.next.likelihood import LIKELIHOOD, Likelihood
from lsp.edit.next.pattern import Pattern, Repetition, Source
from lsp.edit.next.renames import all_follows, renamed_declarations
from lsp.edit.next.rules import (
    arguments_of_calls,
    between_words,
    joint_words,
    keywords_of_calls,
    same_words,
)
from lsp.edit.next.signatures import signature_change
from lsp.edit.next.words import Words

SURE = 0.9
"""The probability that a call of a changed signature has to follow it, or a name in a file that imports it.

Measured between the releases of 19 packages (`benchmarks.releases`): all 6 such calls were right, and 444 of 445 names
in other files, as Jedi finds them.
"""

CERTAIN = 0.98
"""The probability that a use of a renamed declaration follows it."""

LONGEST_TEXT = 400_000
"""Characters of a text in which next edits are looked for."""


@dataclass(frozen=True)
class NextEdit:
    """`text` may belong in the place of the characters from `start` to `end`, with a probability from 0 to 1."""

    start: int
    end: int
    text: str
    source: Source
    title: str
    probability: float


def next_edits(text: str, language: str, history: EditHistory, likelihood: Likelihood = LIKELIHOOD) -> list[NextEdit]:
    """The likeliest first; none that touches a place which was just edited, and at most one for each place."""
    if not history.edits or len(text) > LONGEST_TEXT:
        return []
    words = Words(text, language)
    renames = renamed_declarations(words, history)
    follows = (
        NextEdit(each.start, each.end, each.text, "rename", f"Rename {each.rename[0]} to {each.rename[1]}", CERTAIN)
        for each in all_follows(renames)
        if not is_edited(each.start, each.end, history)
    )
    guessed = (
        _rated(place, likelihood) for place in _places_of(words, history) if not _is_resolved(place, set(renames))
    )
    rated = [*follows, *calls(words, history), *guessed]
    rated.sort(key=lambda edit: -edit.probability)
    found: list[NextEdit] = []
    for edit in rated:
        if not any(_touch(edit.start, edit.end, other.start, other.end) for other in found):
            found.append(edit)
    return found


def places(text: str, language: str, history: EditHistory) -> Iterator[Repetition]:
    """Every place at which something of the history may be repeated."""
    if history.edits and len(text) <= LONGEST_TEXT:
        yield from _places_of(Words(text, language), history)


def calls(words: Words, history: EditHistory) -> Iterator[NextEdit]:
    """The calls that a parameter which was added or removed leaves to be adapted."""
    if words.language != "python" or words.tree is None:
        return
    for edit in reversed(history.edits):
        change = signature_change(words.tree, edit)
        if change is None:
            continue
        for call in adapted_calls(words.tree, change, is_call_of(words.tree, change)):
            fits = is_balanced(words.text[call.start : call.end], call.text)
            if fits and not is_edited(call.start, call.end, history):
                yield NextEdit(call.start, call.end, call.text, "signature", change.title, SURE)


def _places_of(words: Words, history: EditHistory) -> Iterator[Repetition]:
    for place in _places(words, history):
        fits = is_balanced(words.text[place.start : place.end], place.text) and is_of_its_kind(place)
        if fits and not is_edited(place.start, place.end, history):
            yield place


def _is_resolved(place: Repetition, renames: set[tuple[str, str]]) -> bool:
    """Return whether the place is the code of a renamed declaration, whose uses are known."""
    atom, (_, here) = place.pattern.atom, place.kinds
    if place.rule == "joint":
        return any(each.is_rename and (each.old[0], each.new[0]) in renames for each in place.pattern.edit.all)
    is_use = place.rule == "same" and atom.is_rename and not (here is not None and here.is_prose)
    return is_use and (atom.old[0], atom.new[0]) in renames


def _rated(place: Repetition, likelihood: Likelihood) -> NextEdit:
    return NextEdit(place.start, place.end, place.text, place.source, _title(place), likelihood.of(place))


def is_edited(start: int, end: int, history: EditHistory) -> bool:
    """Return whether a place touches one that was just edited."""
    return any(_touch(start, end, edit.start, edit.end) for edit in history.edits)


def _places(words: Words, history: EditHistory) -> Iterator[Repetition]:
    made = [(age, atoms(words.text, edit)) for age, edit in enumerate(reversed(history.edits))]
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Atom]] = {}
    for _, of_edit in made:
        for atom in of_edit.all:
            alike.setdefault(atom.change, []).append(atom)
    seen: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()
    for age, of_edit in made:
        patterns = [Pattern(words, atom, of_edit, age, tuple(alike[atom.change])) for atom in of_edit.all]
        for pattern in patterns:
            if pattern.atom.change not in seen:
                seen.add(pattern.atom.change)
                yield from _repetitions(pattern)
        if patterns:
            yield from joint_words(patterns)


def _repetitions(pattern: Pattern) -> Iterator[Repetition]:
    declaration = pattern.declaration
    scope = declaration.scope if declaration is not None else None
    for place in same_words(pattern):
        if scope is None or (scope[0] <= place.start and place.end <= scope[1]):
            yield place
    yield from keywords_of_calls(pattern)
    yield from between_words(pattern)
    yield from arguments_of_calls(pattern)


def _touch(start: int, end: int, other_start: int, other_end: int) -> bool:
    return start <= other_end and other_start <= end


def _title(place: Repetition) -> str:
    atom = place.pattern.atom
    if place.source == "rename":
        return f"Rename {atom.old[0]} to {atom.new[0]}"
    if place.rule == "signature":
        return f"{atom.old[0]} is {atom.new[0]} now"
    return "The same change here"
