"""Lazy edits made from a real change, as somebody would write them who repeats only what is around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from coder.editing.merge.cutting import pieces_of
from coder.editing.merge.pieces import Piece

CONTEXT = 1
"""Unchanged pieces that are repeated on either side of a change."""


def lazy_edit(old: str, new: str, language: str, comment: str = "#") -> str:
    """The new text with a marker for each run of pieces that are as they were and not beside a change."""
    pieces = pieces_of(new, language)
    assert pieces is not None
    return "\n".join(_level(pieces.top, pieces.lines, _changed(old, new), comment, nested=False)) + "\n"


def _changed(old: str, new: str) -> set[int]:
    """Rows of the new text that differ, and the two around a place where something was removed."""
    rows: set[int] = set()
    matcher = SequenceMatcher(None, old.split("\n"), new.split("\n"), autojunk=False)
    for kind, _, _, first, last in matcher.get_opcodes():
        if kind != "equal":
            rows |= set(range(first, last)) if first < last else {first - 1, first}
    return rows


def _level(
    pieces: Sequence[Piece], lines: Sequence[str], changed: set[int], comment: str, nested: bool
) -> Iterator[str]:
    touched = [not changed.isdisjoint(range(piece.first - piece.blanks, piece.last + 1)) for piece in pieces]
    kept = elided = False
    for index, piece in enumerate(pieces):
        near = any(touched[max(0, index - CONTEXT) : index + CONTEXT + 1])
        ends = nested and (index == 0 or (index == len(pieces) - 1 and piece.indentation == pieces[0].indentation))
        decorated = kept and pieces[index - 1].kind == "decorator"
        kept = near or ends or decorated
        if kept or not elided:
            yield from [""] * piece.blanks
        if not kept:
            if not elided:
                yield f"{piece.indentation}{comment} ... existing code ..."
        elif touched[index] and len(piece.children) > 4 and not _has_clauses(piece):
            head, *rest = piece.children
            yield from _level([replace(head, blanks=0), *rest], lines, changed, comment, nested=True)
        else:
            yield from lines[piece.first : piece.last + 1]
        elided = not kept


def _has_clauses(piece: Piece) -> bool:
    """Where `else` and its like would have to be left out, a marker behind it says nothing of them."""
    return any(child.kind.endswith("_clause") for child in piece.children)
