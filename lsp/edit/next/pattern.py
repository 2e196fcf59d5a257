"""An atom as a pattern, and a place that it may be repeated at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from lsp.edit.next.atoms import Atom, Atoms
from lsp.edit.next.declarations import Declaration, declaration_at
from lsp.edit.next.words import WORD, WordKind, Words

Source = Literal["rename", "signature", "repeat", "model"]

Rule = Literal["same", "between", "joint", "argument", "signature"]
"""The likeness of a place to the one that was edited: the same words there; the same words around an empty place;
everything that was changed on a line, together; a call of the same function; a call whose signature was edited."""

MOST_CONTEXT = 4
"""Words on each side that are compared."""


@dataclass(frozen=True)
class Pattern:
    """A change that was made last, at one place or several.

    Attributes:
        atom: the newest one of its kind, a part of `edit`. age: how many edits were made after that.
        all: every one of its kind in the history.
    """

    words: Words
    atom: Atom
    edit: Atoms
    age: int
    all: tuple[Atom, ...]

    @property
    def support(self) -> int:
        """The number of times it was made."""
        return len(self.all)

    @cached_property
    def first(self) -> int:
        """The word that the atom's new words begin with, or would."""
        return self.words.index_at(self.atom.start)

    @cached_property
    def behind(self) -> int:
        """The word behind the new ones."""
        return self.first + len(self.atom.new)

    @cached_property
    def declaration(self) -> Declaration | None:
        """Return the name that was declared at one of the edited places, if there is one."""
        places = (self.words.index_at(atom.start) for atom in self.all if atom.is_rename)
        return next((found for place in places if (found := declaration_at(self.words, place)) is not None), None)


@dataclass(frozen=True)
class Repetition:
    """A place where a pattern may be repeated: `text` belongs in the place of the characters from `start` to `end`,
    which stand for the words from `first` to `behind`, the last not included."""

    pattern: Pattern
    rule: Rule
    start: int
    end: int
    text: str
    first: int
    behind: int

    @property
    def source(self) -> Source:
        if self.rule == "signature":
            return "signature"
        return "rename" if self.rule == "same" and self.pattern.atom.is_rename else "repeat"

    @cached_property
    def likeness(self) -> float:
        """The share of the words of its line and of the edited one, as it was, that are in both."""
        text = self.pattern.words.text
        first, last = text.rfind("\n", 0, self.start) + 1, text.find("\n", self.end)
        here, there = set(WORD.findall(text[first : len(text) if last < 0 else last])), self.pattern.edit.old_words
        return len(here & there) / max(1, len(here | there))

    @cached_property
    def left(self) -> int:
        """Return the number of equal words before the two places."""
        words, first = self.pattern.words.words, self.pattern.first
        return _count(words, first - 1, self.first - 1, -1)

    @cached_property
    def right(self) -> int:
        """Return the number of equal words behind the two places."""
        return _count(self.pattern.words.words, self.pattern.behind, self.behind, 1)

    @cached_property
    def kinds(self) -> tuple[WordKind | None, WordKind | None]:
        """Return the kinds of the edited place and of this one. An empty place is of the kind of the word before it."""
        words, pattern = self.pattern.words, self.pattern
        if pattern.atom.new and self.behind > self.first:
            return words.kind(pattern.first), words.kind(self.first)
        return words.kind(pattern.first - 1), words.kind(self.first - 1)


def _count(words: list[str], one: int, other: int, step: int) -> int:
    count = 0
    while count < MOST_CONTEXT and 0 <= one < len(words) and 0 <= other < len(words) and words[one] == words[other]:
        one, other, count = one + step, other + step, count + 1
    return count
