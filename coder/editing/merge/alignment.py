"""Alignment of a lazy edit's pieces with those of a file: the best one that keeps the order, and its rivals.

Alignments are paths through a lattice of states (elements of the edit used, pieces of the file used, the last step).
The best path through each step follows from the best way to it and the best way on, so every alignment in which a piece
of the file has another fate is known with its value.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from coder.editing.merge.likeness import DOUBTFUL, Likeness, worth_as_new
from coder.editing.merge.pieces import Piece
from coder.errors import InputError

REMOVAL, REMOVED = 0.3, 0.01
"""The cost of removing pieces of the file from between two others; and each of them."""

KEPT_WHERE_NOTHING_SAYS_SO = 1e-4
"""The cost of each piece of the file that is kept where the edit has no marker, but may have forgotten one."""

OUT_OF_PLACE = 0.02
"""The cost where a new entry is not the last one where the edit ends with it, or the first where it begins so."""

IN_A_ROW = 0.3
"""The value added where two pieces side by side are matched with two side by side."""

RIVAL = 0.1
"""Alignments whose values differ by less are equally likely."""

MOST_PAIRS = 250_000
"""Pairs of an edit's and a file's pieces that are compared with each other."""


@dataclass(frozen=True)
class Gap:
    """Between two pieces of an edit: pieces of the file may be kept here.

    Attributes:
        marker: the piece that says so; None where an edit may leave out what it does not change without saying so.
    """

    marker: Piece | None = None


Element = Piece | Gap


@dataclass(frozen=True)
class Aligned:
    """One step from an edit and a file to what they become: an element of the edit, a piece of the file, or both.

    With a gap, the piece is kept; with a piece, the one replaces the other; alone, the file's piece is removed.
    """

    element: Element | None
    piece: Piece | None

    @property
    def loses(self) -> bool:
        """Return whether the file's piece is not in the outcome as it was."""
        if self.piece is None or isinstance(self.element, Gap):
            return False
        return self.element is None or not (self.element.has_marker or self.element.text == self.piece.text)


Alignment = list[Aligned]


class _Last(IntEnum):
    """The step that led to a state."""

    OTHER = 0
    MATCH = 1
    REMOVAL = 2


@dataclass(frozen=True)
class _Step:
    """From a state to the next one."""

    row: int
    column: int
    last: _Last
    value: float
    aligned: Aligned | None


State = tuple[int, int, _Last]
START: State = 0, 0, _Last.MATCH
"""The aligned pieces lie behind something that both have in common, such as a function's head."""


def alignments(
    edit: Sequence[Element], file: Sequence[Piece], language: str, check: Callable[[], None] = lambda: None
) -> list[Alignment]:
    """The best alignment with what is new as late as possible, the same as early as possible, and those about as
    likely in which another piece of the file is lost or kept, the best first.

    Args:
        check: called now and then; may raise to stop.

    Raises InputError where there is too much to compare.
    """
    lattice = _Lattice(edit, file, language, check)
    found = [lattice.path(START, latest=True), lattice.path(START, latest=False), *lattice.rivals()]
    return [each for index, each in enumerate(found) if each not in found[:index]]


def value(edit: Sequence[Element], file: Sequence[Piece], language: str, check: Callable[[], None]) -> float:
    """That of the best alignment."""
    return _Lattice(edit, file, language, check).best


class _Lattice:
    def __init__(
        self, edit: Sequence[Element], file: Sequence[Piece], language: str, check: Callable[[], None]
    ) -> None:
        if len(edit) * len(file) > MOST_PAIRS:
            raise InputError(
                f"an edit of {len(edit)} parts and a file of {len(file)} are too much to compare: leave more out"
            )
        self.edit, self.file = edit, file
        self._likeness = Likeness([each if isinstance(each, Piece) else None for each in edit], file, language)
        self._width = len(file) + 1
        self._onward = array("d", bytes(8 * (len(edit) + 1) * self._width * len(_Last)))
        end = len(edit), len(file)
        for row in range(end[0], -1, -1):
            check()
            for column in range(end[1], -1, -1):
                for last in _Last if (row, column) != end else ():
                    self._onward[self._index(row, column, last)] = max(
                        map(self._through, self.steps((row, column, last)))
                    )

    @property
    def best(self) -> float:
        return self._onward[self._index(*START)]

    def _index(self, row: int, column: int, last: _Last) -> int:
        return (row * self._width + column) * len(_Last) + last

    def _through(self, step: _Step) -> float:
        """The value of the best path from before the step on."""
        return step.value + self._onward[self._index(step.row, step.column, step.last)]

    def steps(self, state: State) -> list[_Step]:
        """Those from a state, the one that keeps or removes a piece of the file first."""
        row, column, last = state
        before = self.edit[row - 1] if row else None
        piece = self.file[column] if column < len(self.file) else None
        element = self.edit[row] if row < len(self.edit) else None
        found: list[_Step] = []
        if piece is not None:
            if isinstance(before, Gap):
                cost = 0.0 if before.marker else -KEPT_WHERE_NOTHING_SAYS_SO
                found.append(_Step(row, column + 1, _Last.OTHER, cost, Aligned(before, piece)))
            else:
                cost = -REMOVED - (REMOVAL if last != _Last.REMOVAL else 0.0)
                found.append(_Step(row, column + 1, _Last.REMOVAL, cost, Aligned(None, piece)))
        if isinstance(element, Piece) and piece is not None:
            likeness = self._likeness(row, column)
            if likeness is not None:
                sure = likeness != DOUBTFUL
                likeness += IN_A_ROW if sure and last == _Last.MATCH else 0.0
                to = _Last.MATCH if sure else _Last.OTHER
                found.append(_Step(row + 1, column + 1, to, likeness, Aligned(element, piece)))
        if isinstance(element, Piece):
            above = self.file[column - 1] if column else None
            worth = worth_as_new(element, above, piece) - (OUT_OF_PLACE if self._is_out_of_place(row, column) else 0.0)
            found.append(_Step(row + 1, column, _Last.OTHER, worth, Aligned(element, None)))
        elif element is not None:
            found.append(_Step(row + 1, column, _Last.OTHER, 0.0, None))
        return found

    def _is_out_of_place(self, row: int, column: int) -> bool:
        """Return whether a new entry at the end of an edit would not be the last of the file's, or one at the beginning
        the first."""
        if not getattr(self.edit[row], "is_entry", False):
            return False
        before, behind = (self.edit[at] if 0 <= at < len(self.edit) else None for at in (row - 1, row + 1))
        if not isinstance(before, Gap) or not isinstance(behind, Gap):
            return False
        last, first = before.marker and not behind.marker, behind.marker and not before.marker
        return bool((last and column < len(self.file)) or (first and column > 0))

    def path(self, state: State, latest: bool) -> Alignment:
        """The best way on from a state."""
        steps: Alignment = []
        while (state[0], state[1]) != (len(self.edit), len(self.file)):
            ways = self.steps(state)
            best = max(map(self._through, ways))
            equal = [way for way in ways if self._through(way) > best - 1e-9]
            step = equal[0] if latest else equal[-1]
            if step.aligned is not None:
                steps.append(step.aligned)
            state = step.row, step.column, step.last
        return steps

    def rivals(self) -> list[Alignment]:
        """For each piece of the file the best alignment in which it is lost, if the best one keeps it, or is kept, if
        that one loses it; those that are about as good as the best one."""
        lost = {id(step.piece) for step in self.path(START, latest=True) if step.loses}
        found: dict[int, tuple[float, Alignment, _Step]] = {}
        reached: dict[State, tuple[float, Alignment]] = {START: (0.0, [])}
        for row in range(len(self.edit) + 1):
            for column in range(len(self.file) + 1):
                for last in _Last:
                    if (way := reached.pop((row, column, last), None)) is None:
                        continue
                    so_far, steps = way
                    for step in self.steps((row, column, last)):
                        if so_far + self._through(step) < self.best - RIVAL:
                            continue
                        aligned = step.aligned
                        target = step.row, step.column, step.last
                        path = steps if aligned is None else [*steps, aligned]
                        if target not in reached or so_far + step.value > reached[target][0] + 1e-9:
                            reached[target] = so_far + step.value, path
                        if aligned is None or aligned.piece is None or aligned.loses == (id(aligned.piece) in lost):
                            continue
                        total = so_far + self._through(step)
                        if id(aligned.piece) not in found or total > found[id(aligned.piece)][0] + 1e-9:
                            found[id(aligned.piece)] = total, path, step
        ordered = sorted(found.values(), key=lambda each: -each[0])
        return [[*path, *self.path((step.row, step.column, step.last), latest=True)] for _, path, step in ordered]
