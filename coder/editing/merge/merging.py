"""What a lazy edit makes of a file: its pieces in the places of theirs, and the file's own where a marker stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from coder.editing.merge.alignment import Aligned, Element, Gap, align, likeness
from coder.editing.merge.pieces import Piece, Pieces
from coder.errors import InputError
from coder.syntax.scopes import CLASSES

ABOUT_EQUAL = 0.03
"""Places whose alignments differ by less in value are equally good."""

SAME_INDENTATION = 0.05
"""What a place gains whose code is indented as the edit is."""

CLOSING = ("}", ")", "]")

Place = tuple[Piece, ...]
"""Pieces that stand side by side: those of a file, of a class, of a block."""


def merges(file: Pieces, edit: Pieces) -> list[str]:
    """The texts that the edit can mean, the likeliest reading first; more than one where it is ambiguous.

    Raises InputError where a marker stands for nothing in the file.
    """
    has_markers = any(piece.has_marker for piece in edit.top)
    if not has_markers and _is_whole(edit.top, file.top):
        return ["\n".join(edit.lines)]
    elements = _elements(edit.top, edges=True, between=not has_markers)
    texts: list[str] = []
    for place in _places(file, edit, elements):
        for latest in (True, False):
            text = _Merge(file, edit, latest).text(elements, place)
            if text not in texts:
                texts.append(text)
    return texts


def _is_whole(new: Sequence[Piece], old: Sequence[Piece]) -> bool:
    """Whether an edit without markers is all of what it is about: it begins as that does and ends as it does."""
    return not old or (bool(new) and all(likeness(new[index], old[index]) > 0.0 for index in (0, -1)))


def _is_part(new: Piece, old: Piece) -> bool:
    """Whether a class without markers repeats only some members of the file's."""
    if new.kind not in CLASSES or not new.children or not old.children:
        return False
    members, known = _members(new)[0], _members(old)[0]
    return not _is_whole(members, known)


def _members(piece: Piece) -> tuple[Sequence[Piece], Sequence[Piece]]:
    """What stands between the head of a class and its closing bracket, if it has one; and that."""
    closed = piece.children[-1].text.startswith(CLOSING)
    return piece.children[1 : -1 if closed else None], piece.children[-1:] if closed else ()


def _rest_of_class(piece: Piece) -> list[Element]:
    """What follows the head: members before the first one and behind the last one stay, whatever the edit says."""
    members, closing = _members(piece)
    return [*_elements(members, edges=True, between=not piece.has_marker), *closing]


def _elements(pieces: Sequence[Piece], edges: bool, between: bool) -> list[Element]:
    """Markers as gaps, and a gap wherever something may be left out without one."""
    elements: list[Element] = [Gap()] if edges else []
    for piece in pieces:
        if between and elements and not isinstance(elements[-1], Gap):
            elements.append(Gap())
        elements.append(Gap(piece) if piece.is_marker else piece)
    return [*elements, Gap()] if edges else elements


def _places(file: Pieces, edit: Pieces, elements: Sequence[Element]) -> list[Place]:
    """Where the edit belongs, the best place first, and others that are about as good."""
    wanted = [piece for piece in edit.top if not piece.is_marker]
    texts, names = {piece.text for piece in wanted}, {piece.name for piece in wanted if piece.name}
    values: list[tuple[float, Place]] = []
    for place in file.containers():
        if place is not file.top and not any(piece.text in texts or piece.name in names for piece in place):
            continue
        value, _ = align(elements, place, latest=True)
        same = bool(wanted and place) and wanted[0].indentation == place[-1].indentation
        values.append((value + SAME_INDENTATION * same, place))
    best = max(value for value, _ in values)
    values.sort(key=lambda pair: -pair[0])
    return [place for value, place in values if value >= best - ABOUT_EQUAL]


@dataclass(frozen=True)
class _Merge:
    """One reading of an edit.

    Attributes:
        latest: of equally good places for something new, the last one.
    """

    file: Pieces
    edit: Pieces
    latest: bool

    def text(self, elements: Sequence[Element], place: Place) -> str:
        """The file with the edit in its place."""
        _, steps = align(elements, place, self.latest)
        first, behind = (place[0].first, place[-1].last + 1) if place else (0, 0)
        merged = self._level(elements, place, steps, _indentations(self.edit.top, place, steps))
        return "\n".join([*self.file.lines[:first], *merged, *self.file.lines[behind:]])

    def _inside(self, new: Piece, old: Piece, known: dict[str, str]) -> Iterator[str]:
        """A piece that repeats only a part of what it stands for. Both begin with their heads."""
        if not old.children:
            raise InputError(
                f"a marker behind line {new.first + 1} of the edit stands for nothing: in the file "
                f"{self.file.lines[old.first].strip()!r} is a single line"
            )
        rest = _rest_of_class(new) if new.kind in CLASSES else _elements(new.children[1:], edges=False, between=False)
        _, steps = align(rest, old.children[1:], self.latest)
        steps = [Aligned(new.children[0], old.children[0]), *steps]
        indentations = _indentations(new.children[1:], old.children[1:], steps)
        yield from self._level([new.children[0], *rest], old.children, steps, known | indentations)

    def _level(
        self, elements: Sequence[Element], place: Place, steps: Sequence[Aligned], indentations: dict[str, str]
    ) -> Iterator[str]:
        """The lines that pieces side by side become."""
        usual = _usual_blanks(place)
        previous = {id(element): before for before, element in zip([None, *elements], elements, strict=False)}
        last: Piece | None = None
        inserted = False
        for step in steps:
            new, old = step.element, step.piece
            if isinstance(new, Piece):
                before = previous[id(new)]
                explicit = isinstance(before, Piece)
                blanks = new.blanks if explicit or old is None or old is place[0] else old.blanks
                if not explicit and new.is_definition and (old is None or old is place[0]):
                    blanks = max(blanks, usual)
                lines, current = self._replaced(new, old, indentations), new
            elif old is not None and new is not None:
                blanks = old.blanks
                if last is not None and (old is place[0] or (inserted and last.is_definition)):
                    marked = new.marker.blanks if new.marker else 0
                    blanks = max(blanks, usual if last.is_definition or old.is_definition else marked)
                lines, current = self.file.lines[old.first : old.last + 1], old
            else:
                continue
            yield from [""] * (blanks if last is not None else 0)
            yield from lines
            last, inserted = current, old is None

    def _replaced(self, new: Piece, old: Piece | None, indentations: dict[str, str]) -> Iterator[str]:
        """The lines of a piece of the edit, which may be one of the file's."""
        if old is not None and new.text == old.text:
            yield from self.file.lines[old.first : old.last + 1]
        elif old is not None and (new.has_marker or _is_part(new, old)):
            yield from self._inside(new, old, indentations)
        elif new.has_marker:
            raise InputError(f"line {new.first + 1} of the edit begins something of which the file has no more to keep")
        else:
            yield from self._indented(new, indentations)

    def _indented(self, piece: Piece, indentations: dict[str, str]) -> Iterator[str]:
        """A piece's lines, as far in as what is beside it."""
        known = max((each for each in indentations if piece.indentation.startswith(each)), key=len, default=None)
        for row in range(piece.first, piece.last + 1):
            line = self.edit.lines[row]
            if known is not None and row not in self.edit.fixed and line.startswith(known):
                line = indentations[known] + line.removeprefix(known)
            yield line


def _indentations(new: Sequence[Piece], old: Sequence[Piece], steps: Sequence[Aligned]) -> dict[str, str]:
    """How far in the file's lines are where the edit's have some indentation."""
    pairs = [(step.element, step.piece) for step in steps if isinstance(step.element, Piece) and step.piece is not None]
    known = {piece.indentation: old.indentation for piece, old in reversed(pairs)}
    if new and old:
        known.setdefault(
            new[0].indentation, old[min(1, len(old) - 1)].indentation if len(old) > 2 else old[0].indentation
        )
    return known


def _usual_blanks(place: Place) -> int:
    """Blank lines above a definition among these."""
    return min((piece.blanks for piece in place[1:] if piece.is_definition), default=0)
