"""Merge a lazy edit into a file: its pieces in the places of theirs, and the file's own where a marker stands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from coder.editing.merge.alignment import Aligned, Alignment, Element, Gap, alignments, value
from coder.editing.merge.likeness import OVERLOADING, identity_of, may_stand_twice, registers_another
from coder.editing.merge.pieces import Piece, Pieces
from coder.editing.merge.wholes import CLOSING, differing, is_whole, leaves_out, members_of
from coder.errors import InputError
from coder.syntax.scopes import CLASSES

ABOUT_EQUAL = 0.03
"""Places whose alignments differ by less in value are equally good."""

SAME_INDENTATION = 0.05
"""The gain of a place whose code is indented as the edit is."""

MOST_MERGES = 24
"""Readings that are worked out; there is one for each doubt, and one for each place."""

BRANCH = re.compile(r"\}?\s*(?:else|catch|finally)\b")
"""The beginning of a branch behind the first one, between braces."""

Place = tuple[Piece, ...]
"""Pieces that stand side by side: those of a file, of a class, of a block."""

Key = tuple[str, int, int, int]
"""The kind of a doubt, the lines of an edit and a file at which pieces begin that are merged, and the line at which the
edit's ends: a function begins with its head."""


@dataclass(frozen=True)
class Reading:
    """A text that an edit can mean, and how many parts of the file it changes."""

    text: str
    parts: int


def merges(file: Pieces, edit: Pieces, language: str, check: Callable[[], None] = lambda: None) -> list[Reading]:
    """The readings of the edit, the likeliest reading first; more than one where it is ambiguous.

    Args:
        check: called now and then; may raise to stop.

    Raises InputError where a marker stands for nothing in the file.
    """
    has_markers = any(piece.has_marker for piece in edit.top)
    found: list[Reading] = []
    if not has_markers and is_whole(edit.top, file.top):
        found.append(Reading("\n".join(edit.lines), differing(edit.top, file.top)))
        if not leaves_out(edit.top, file.top):
            return found
    elements = _elements(edit.top, edges=True, between=not has_markers)
    readings: list[Reading] = []
    refused: InputError | None = None
    for place in _places(file, edit, elements, language, check):
        pending: list[dict[Key, int]] = [{}]
        for choices in pending:
            merge = _Merge(file, edit, language, check, choices)
            try:
                readings.append(merge.reading(elements, place))
            except InputError as error:
                refused = refused or error
            if not choices:
                pending += [{key: choice} for key, count in merge.doubts.items() for choice in range(1, count)]
            if len(pending) > MOST_MERGES:
                break
    if refused and not readings:
        raise refused
    unique: dict[str, Reading] = {}
    for reading in (*readings, *found):
        unique.setdefault(reading.text, reading)
    return list(unique.values())


def _elements(pieces: Sequence[Piece], edges: bool, between: bool) -> list[Element]:
    """Markers as gaps, and a gap wherever something may be left out without one."""
    elements: list[Element] = [Gap()] if edges else []
    for piece in pieces:
        if between and elements and not isinstance(elements[-1], Gap):
            elements.append(Gap())
        elements.append(Gap(piece) if piece.is_marker else piece)
        if piece.is_case and piece.children and piece.children[-1].is_marker:
            elements.append(Gap())  # It may stand for the rest of the case and for the cases behind it.
    return [*elements, Gap()] if edges else elements


def _places(
    file: Pieces, edit: Pieces, elements: Sequence[Element], language: str, check: Callable[[], None]
) -> list[Place]:
    """Return the places where the edit may belong: the best one first, then others that are about as good."""
    wanted = [piece for piece in edit.top if not piece.is_marker]
    texts, names = {piece.text for piece in wanted}, {piece.name for piece in wanted if piece.name}
    values: list[tuple[float, Place]] = []
    if wanted and all(map(_is_element, wanted)):
        places = [place for place in file.containers() if any(map(_is_element, place))]
        if not places:
            raise InputError("the edit is an element of JSX, and the file has none: repeat the code around it")
    else:
        top, *inner = file.containers()
        places = [top, *(place for place in inner if any(one.text in texts or one.name in names for one in place))]
    for place in places:
        same = bool(wanted and place) and wanted[0].indentation == place[min(1, len(place) - 1)].indentation
        values.append((value(elements, place, language, check) + SAME_INDENTATION * same, place))
    best = max(value for value, _ in values)
    values.sort(key=lambda pair: -pair[0])
    return [place for value, place in values if value >= best - ABOUT_EQUAL]


@dataclass
class _Output:
    """Lines of the outcome, side by side.

    Attributes:
        last: the piece that they end with, in the form in which they have it.
    """

    lines: list[str] = field(default_factory=list)
    last: Piece | None = None

    def add(self, lines: Sequence[str], piece: Piece, blanks: Sequence[str]) -> None:
        """A piece's lines behind blank ones, and a comma before them where there has to be one."""
        if self.last is not None:
            if piece.is_entry and self.last.is_entry and not self.last.has_comma:
                at = len(self.lines[-1]) - self.last.behind
                self.lines[-1] = f"{self.lines[-1][:at]},{self.lines[-1][at:]}"
            self.lines += blanks
        self.lines += lines
        self.last = piece


@dataclass(frozen=True)
class _Merge:
    """One reading of an edit.

    Attributes:
        choices: which of several alignments is taken, where it is not the best one.
        doubts: how many alignments there are, of those places where there are several. 0 is the best.
        changed: parts of the file that are changed, for each run of them what it is.
    """

    file: Pieces
    edit: Pieces
    language: str
    check: Callable[[], None]
    choices: dict[Key, int]
    doubts: dict[Key, int] = field(default_factory=dict)
    changed: list[Piece] = field(default_factory=list)

    def reading(self, elements: Sequence[Element], place: Place) -> Reading:
        """The file with the edit in its place."""
        steps = self._aligned(("top", 0, place[0].first if place else 0, 0), elements, place)
        first, behind = (place[0].first, place[-1].last + 1) if place else (0, 0)
        output = self._level(elements, place, steps, _indentations(self.edit.top, place, steps))
        text = "\n".join([*self.file.lines[:first], *output.lines, *self.file.lines[behind:]])
        return Reading(text, len(self.changed))

    def _aligned(self, key: Key, elements: Sequence[Element], place: Sequence[Piece]) -> Alignment:
        found = alignments(elements, place, self.language, self.check)
        if len(found) > 1:
            self.doubts[key] = len(found)
        return found[self.choices.get(key, 0)]

    def _inside(self, new: Piece, old: Piece, known: dict[str, str], after_gap: bool, open_end: bool) -> _Output:
        """A piece that repeats only a part of what it stands for: its decorators, its head, what it is made of."""
        if new.has_marker and not old.children:
            raise InputError(
                f"a marker behind line {new.first + 1} of the edit stands for nothing: in the file "
                f"{self.file.lines[old.first].strip()!r} is a single line"
            )
        leads: list[Element] = [Gap()] if after_gap else []
        leads += _elements(new.decorators, edges=False, between=False)
        steps = self._aligned(("leads", new.first, old.first, new.last), leads, old.decorators)
        steps = [*steps, Aligned(new.head, old.head)]
        elements = [*leads, new.head]
        members, closing = members_of(new)
        old_members, old_closing = members_of(old)
        whole = new.kind in CLASSES and not new.has_marker
        edges = new.kind in CLASSES or any(piece.is_entry for piece in (*members, *old_members))
        if bool(closing) != bool(old_closing):
            members, closing = [*members, *closing], ()
            old_members, old_closing = [*old_members, *old_closing], ()
        rest = _elements(members, edges=edges, between=whole)
        if open_end:
            rest.append(Gap())
        steps += self._aligned(("members", new.first, old.first, new.last), rest, old_members)
        steps += [Aligned(*pair) for pair in zip(closing, old_closing, strict=True)]
        elements += [*rest, *closing]
        indentations = _indentations(new.children[new.lead + 1 :], old.children[old.lead + 1 :], steps)
        return self._level(elements, old.children, steps, known | indentations)

    def _level(
        self, elements: Sequence[Element], place: Place, steps: Sequence[Aligned], indentations: dict[str, str]
    ) -> _Output:
        """The lines that pieces side by side become."""
        usual = _usual_blanks(place)
        previous = {id(element): before for before, element in zip([None, *elements], elements, strict=False)}
        before_marker = {
            id(element) for element, after in pairwise(elements) if isinstance(after, Gap) and after.marker is not None
        }
        output = _Output()
        removing = inserted = False
        moved = _moved(steps, self.language)
        for step in steps:
            if step.piece is not None and id(step.piece) in moved:
                continue
            new, old = step.element, step.piece
            if isinstance(new, Piece):
                before = previous[id(new)]
                explicit = isinstance(before, Piece)
                count = new.blanks if explicit or old is None or old is place[0] else old.blanks
                beside = before.is_definition if isinstance(before, Piece) and old is None else not explicit
                if beside and new.is_definition and (old is None or old is place[0]):
                    count = max(count, self._blanks_between(output.last, new, new, usual))
                blanks = self._blanks(old, count)
                if old is None:
                    if not (inserted and not new.is_definition):
                        self.changed.append(new)
                    output.add(self._indented(new, indentations), new, blanks)
                else:
                    open_end = id(new) in before_marker and _lacks_clauses(new, old)
                    self._replace(new, old, indentations, isinstance(before, Gap), open_end, output, blanks)
            elif old is not None and new is not None:
                count = old.blanks
                last = output.last
                if last is not None and (old is place[0] or (inserted and last.is_definition)):
                    marked = new.marker.blanks if new.marker else 0
                    beside = last if last.is_definition else old
                    wanted = self._blanks_between(last, old, beside, usual) if beside.is_definition else marked
                    count = max(count, wanted)
                output.add(self._lines(old), old, self._blanks(old, count))
            elif old is not None and not removing:
                self.changed.append(old)
            removing, inserted = new is None, old is None
        return output

    def _blanks_between(self, above: Piece | None, below: Piece, definition: Piece, usual: int | None) -> int:
        """Blank lines between two pieces of which one is a definition: as many as its neighbours have, or else as many
        as is usual in the language; none at the beginning and the end of a block."""
        if above is None or _opens(above) or below.text.startswith(CLOSING):
            return 0
        if usual is not None:
            return usual
        if definition.is_entry or definition.first == definition.last:
            return 0
        return 2 if self.language == "python" and not definition.indentation else 1

    def _blanks(self, old: Piece | None, count: int) -> list[str]:
        """So many blank lines, the file's own if there are as many above its piece."""
        if old is not None and count == old.blanks:
            return list(self.file.lines[old.first - count : old.first])
        return [""] * count

    def _replace(
        self,
        new: Piece,
        old: Piece,
        indentations: dict[str, str],
        after_gap: bool,
        open_end: bool,
        output: _Output,
        blanks: Sequence[str],
    ) -> None:
        """Add the lines of a piece of the edit that is a version of one of the file's.

        Args:
            after_gap: whether a gap stands before it, in which its decorators may be.
            open_end: whether the marker behind it may also stand for its last branches.
        """
        if new.text == old.text or (_without_comma(new.text) == _without_comma(old.text) and not new.has_marker):
            output.add(self._lines(old), old, blanks)
        elif new.has_marker or open_end or self._is_part(new, old):
            inside = self._inside(new, old, indentations, after_gap, open_end)
            ending = inside.last or old
            tail = replace(old, has_comma=ending.has_comma, behind=ending.behind)
            output.add(inside.lines, tail, blanks)
        else:
            self.changed.append(new)
            lines = list(self._indented(new, indentations))
            first = new.decorators[0].text if new.lead else old.head.text
            below = next((piece for piece in old.children[: old.lead + 1] if piece.text == first), None)
            if after_gap and old.lead and (below is not None or not new.lead):
                kept = range(old.first, (below or old.head).first)
                lines = [*self.file.lines[kept.start : kept.stop], *lines]
            output.add(lines, new, blanks)

    def _is_part(self, new: Piece, old: Piece) -> bool:
        """Return whether a class without markers repeats only some members of the file's."""
        if new.kind not in CLASSES or not new.children or not old.children:
            return False
        members, known = members_of(new)[0], members_of(old)[0]
        if not is_whole(members, known):
            return True
        if not leaves_out(members, known):
            return False
        key = "whole", new.first, old.first, new.last
        self.doubts[key] = 2
        return not self.choices.get(key)

    def _lines(self, piece: Piece) -> tuple[str, ...]:
        return self.file.lines[piece.first : piece.last + 1]

    def _indented(self, piece: Piece, indentations: dict[str, str]) -> list[str]:
        """A piece's lines, as far in as what is beside it."""
        if piece.has_marker:
            raise InputError(
                f"line {piece.first + 1} of the edit begins something of which the file has no more to keep"
            )
        return list(self._moved(piece, indentations))

    def _moved(self, piece: Piece, indentations: dict[str, str]) -> Iterator[str]:
        known = max((each for each in indentations if piece.indentation.startswith(each)), key=len, default=None)
        for row in range(piece.first, piece.last + 1):
            line = self.edit.lines[row]
            if known is not None and row not in self.edit.fixed and line.startswith(known):
                line = indentations[known] + line.removeprefix(known)
            yield line


def _lacks_clauses(new: Piece, old: Piece) -> bool:
    """Return whether a statement of the file ends with branches (`else`, `except`) that the edit's version does not
    have."""
    heads, branches = (
        [child.head.text for child in piece.children if child.kind.endswith("_clause") or BRANCH.match(child.text)]
        for piece in (new, old)
    )
    return bool(new.children and branches) and branches[-1] not in heads


def _without_comma(text: str) -> str:
    return text.removesuffix(",")


def _indentations(new: Sequence[Piece], old: Sequence[Piece], steps: Sequence[Aligned]) -> dict[str, str]:
    """The file's indentation for each indentation of the edit."""
    pairs = [(step.element, step.piece) for step in steps if isinstance(step.element, Piece) and step.piece is not None]
    known = {piece.indentation: old.indentation for piece, old in reversed(pairs)}
    if new and old:
        inside = next((piece for piece in old if not _opens(piece)), old[0])
        known.setdefault(new[0].indentation, inside.indentation)
    return known


def _moved(steps: Sequence[Aligned], language: str) -> set[int]:
    """The definitions of the file, by their ids, that are kept where the edit puts the same one, which may differ where
    a name is defined once, in another place."""
    new = [step.element for step in steps if isinstance(step.element, Piece) and step.element.is_definition]
    old = [step.piece for step in steps if step.piece is not None and step.piece.is_definition]
    of_new, of_old = Counter(map(identity_of, new)), Counter(map(identity_of, old))
    inserted = {
        identity_of(step.element): step.element for step in steps
        if step.piece is None and isinstance(step.element, Piece) and step.element.is_definition and step.element.name
    }  # fmt: skip
    return {
        id(step.piece) for step in steps
        if step.piece is not None and isinstance(step.element, Gap) and step.piece.is_definition
        and (other := inserted.get(key := identity_of(step.piece))) is not None
        and of_new[key] == of_old[key] == 1 and not may_stand_twice(step.piece)
        and not registers_another(other, step.piece)
        and (other.text == step.piece.text or language not in OVERLOADING)
    }  # fmt: skip


def _is_element(piece: Piece) -> bool:
    return piece.kind.startswith("jsx_")


def _usual_blanks(place: Place) -> int | None:
    """Blank lines above a definition among these, below the first one; None where there is no other."""
    below = (piece for above, piece in pairwise(place) if not _opens(above))
    return min((piece.blanks for piece in below if piece.is_definition), default=None)


def _opens(piece: Piece) -> bool:
    """Return whether a piece is the head of the block that it stands in."""
    return piece.text.endswith(("{", ":", "(", "["))
