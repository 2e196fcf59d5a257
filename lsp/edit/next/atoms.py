"""From an edit to what could be repeated of it: words that gave way to others, between words that stayed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from lsp.edit.next.history import PastEdit
from lsp.edit.next.words import WORD

MOST_WORDS = 300
"""Of an edit's lines; a larger one was not typed to be repeated."""

LONGEST_ATOM = 24
"""Words."""


@dataclass(frozen=True)
class Atom:
    """Words that were replaced together.

    Attributes:
        old, new: the words that went and came; not both empty.
        old_text, new_text: the text from the word before to the word behind, without these two.
        start, end: where `new_text` stands in the text now.
    """

    old: tuple[str, ...]
    new: tuple[str, ...]
    old_text: str
    new_text: str
    start: int
    end: int

    @property
    def change(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The words before and after; two atoms are the same change where these are equal."""
        return self.old, self.new

    @property
    def is_rename(self) -> bool:
        return len(self.old) == len(self.new) == 1 and self.old[0].isidentifier() and self.new[0].isidentifier()


@dataclass(frozen=True)
class Atoms:
    """An edit taken apart.

    Attributes:
        old_words: of its lines, as they were.
        kept: the share of these that stayed, from 0 to 1: where it is small, what gave way to what is a guess.
        all: in order.
    """

    old_words: frozenset[str]
    kept: float
    all: tuple[Atom, ...]


def atoms(text: str, edit: PastEdit) -> Atoms:
    """The atoms of an edit of `text`."""
    first = text.rfind("\n", 0, edit.start) + 1
    last = text.find("\n", edit.end)
    last = len(text) if last < 0 else last
    old = text[first : edit.start] + edit.old + text[edit.end : last]
    words = WORD.findall(old)
    found = tuple(_atoms(old, text[first:last], first))
    gone = sum(len(atom.old) for atom in found)
    return Atoms(frozenset(words), 1.0 - gone / max(1, len(words)), found)


def _atoms(old: str, new: str, offset: int) -> Iterator[Atom]:
    before, after = list(WORD.finditer(old)), list(WORD.finditer(new))
    if max(len(before), len(after)) > MOST_WORDS:
        return
    matcher = SequenceMatcher(None, [word.group() for word in before], [word.group() for word in after], autojunk=False)
    for kind, first, last, new_first, new_last in matcher.get_opcodes():
        if kind == "equal" or max(last - first, new_last - new_first) > LONGEST_ATOM:
            continue
        # The text from the word before to the word behind; at the lines' ends what is there of it.
        start = before[first - 1].end() if first else 0
        end = before[last].start() if last < len(before) else len(old)
        new_start = after[new_first - 1].end() if new_first else 0
        new_end = after[new_last].start() if new_last < len(after) else len(new)
        yield Atom(
            old=tuple(word.group() for word in before[first:last]),
            new=tuple(word.group() for word in after[new_first:new_last]),
            old_text=old[start:end],
            new_text=new[new_start:new_end],
            start=offset + new_start,
            end=offset + new_end,
        )
