"""Edits without markers: whether one is all of what it is about, or leaves out what it does not change."""

from __future__ import annotations

from collections.abc import Sequence

from coder.editing.merge.pieces import Piece
from coder.syntax.scopes import CLASSES

CLOSING = ("}", ")", "]")


def is_whole(new: Sequence[Piece], old: Sequence[Piece]) -> bool:
    """Return whether an edit without markers may be all of what it is about: it begins as that does and ends as it
    does."""
    return not old or (bool(new) and all(_is_version(new[index], old[index]) for index in (0, -1)))


def _is_version(new: Piece, old: Piece) -> bool:
    if new.name is not None or old.name is not None:
        return new.name == old.name
    return new.text == old.text or (new.kind == old.kind and not (new.words - old.words and old.words - new.words))


def leaves_out(new: Sequence[Piece], old: Sequence[Piece]) -> bool:
    """Return whether what begins and ends like a whole leaves out definitions of it, and does not put others there."""
    known, kept = ([piece.name for piece in pieces if piece.name is not None] for pieces in (old, new))
    if len(kept) < len(known) and not set(known) <= set(kept):
        return True
    classes = {piece.name: piece for piece in old if piece.kind in CLASSES and piece.children}
    pairs = [(piece, classes[piece.name]) for piece in new if piece.kind in CLASSES and piece.name in classes]
    return any(leaves_out(members_of(piece)[0], members_of(other)[0]) for piece, other in pairs if piece.children)


def differing(new: Sequence[Piece], old: Sequence[Piece]) -> int:
    """The number of pieces that are only on one side, those of one name counting once."""
    texts = {piece.text for piece in new} ^ {piece.text for piece in old}
    changed = [piece for piece in (*new, *old) if piece.text in texts]
    return len({piece.name or piece.text for piece in changed})


def members_of(piece: Piece) -> tuple[Sequence[Piece], Sequence[Piece]]:
    """The pieces between a head and its closing bracket, and that bracket if there is one."""
    inside = piece.children[piece.lead + 1 :]
    closed = bool(inside) and inside[-1].text.startswith(CLOSING) and not inside[-1].children
    return (inside[:-1], inside[-1:]) if closed else (inside, ())
