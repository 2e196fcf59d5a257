"""Alignment of a lazy edit's pieces with those of a file: the best one that keeps the order, and its rivals.

Alignments are paths through a lattice of states (elements of the edit used, pieces of the file used, the last step).
The best path through each step follows from the best way to it and the best way on, so every alignment in which a piece
of the file has another fate is known with its value.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from coder.editing.merge.pieces import Piece
from coder.errors import InputError

REMOVAL, REMOVED = 0.3, 0.01
"""The cost of removing pieces of the file from between two others; and each of them."""

KEPT_WHERE_NOTHING_SAYS_SO = 1e-4
"""The cost of each piece of the file that is kept where the edit has no marker, but may have forgotten one."""

NEIGHBOUR = 0.01
"""The gain of a new piece behind one of its kind."""

OUT_OF_PLACE = 0.02
"""The cost where a new entry is not the last one where the edit ends with it, or the first where it begins so."""

IDENTICAL, ENOUGH_LETTERS = 0.6, 16
"""The value of an identical piece, at least; with so many letters it is worth 1, since it is unlikely to be there
twice. More than any that is only alike."""

BRACKETS = 0.1
"""The value of an identical line without a word."""

SAME_DEFINITION = 0.85
SAME_NAME = 0.5
"""A declaration or an entry of the same name, the only one of that name on both sides; otherwise it is worth as much
less as it is unlike."""

UNLIKE = 0.7
"""Share of words in common from which on two unnamed pieces are rather two versions of one than two that are alike."""

DOUBTFUL = -0.001
"""A piece that may as well be another one beside the file's, such as a further overload. It stands in no row."""

KEYWORDS = frozenset(("try", "do", "unsafe", "loop", "defer", "async", "static"))
"""A head of these alone says nothing of which statement it is."""

ALIKE = 0.85
"""Share of words in common from which on two statements with such heads are two versions of one."""

IN_A_ROW = 0.3
"""The value added where two pieces side by side are matched with two side by side."""

IMPOSSIBLE = -1.0
"""The cost of a piece with a marker in it that stands for nothing, which is refused in the end."""

RIVAL = 0.1
"""Alignments whose values differ by less are equally likely."""

MOST_PAIRS = 250_000
"""Pairs of an edit's and a file's pieces that are compared with each other."""

LEAVING = frozenset("return_statement return_expression raise_statement throw_statement".split())
"""Two of them cannot follow each other."""

IMPORTS = frozenset(
    "import_statement import_from_statement import_declaration preproc_include use_declaration future_import_statement "
    "using_declaration".split()
)

OVERLOADING = frozenset(("java", "cpp", "csharp", "kotlin", "typescript", "typescriptreact"))
"""Languages in which functions of one name differ by their parameters."""


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
        self._likeness = _Likeness(edit, file, language)
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
            worth = _new(element, above, piece) - (OUT_OF_PLACE if self._is_out_of_place(row, column) else 0.0)
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


class _Likeness:
    """The likelihood that each piece of an edit is a version of each piece of a file that stands beside others."""

    def __init__(self, edit: Sequence[Element], file: Sequence[Piece], language: str) -> None:
        self._edit, self._file, self._language = edit, file, language
        new = (piece for piece in edit if isinstance(piece, Piece))
        self._of_new, self._of_old = Counter(map(_identity, new)), Counter(map(_identity, file))
        self._known: dict[tuple[int, int], float | None] = {}

    def __call__(self, row: int, column: int) -> float | None:
        """From below 0, rather another piece, to 1, the same one; None where it cannot be one."""
        key = row, column
        if key not in self._known:
            new = self._edit[row]
            assert isinstance(new, Piece)
            found = self._value(new, self._file[column])
            if found is not None and new.has_marker and not self._file[column].children:
                found = min(found, 0.0)
            self._known[key] = found
        return self._known[key]

    def _value(self, new: Piece, old: Piece) -> float | None:
        if new.text == old.text or (new.is_entry and new.text.rstrip(",") == old.text.rstrip(",")):
            letters = _letters(old)
            return IDENTICAL + (1.0 - IDENTICAL) * min(1.0, letters / ENOUGH_LETTERS) if letters else BRACKETS
        if new.is_marker:
            return None
        if new.name is not None or old.name is not None:
            return self._named(new, old) if new.name == old.name else _renamed(new, old)
        if new.kind != old.kind or new.kind in IMPORTS:
            return _extended_import(new, old)
        if new.has_marker:
            head = 1.0 if new.head.text == old.head.text else common(new.head.words, old.head.words)
            return SAME_NAME if head == 1.0 else head - 0.5 if head > 0.0 else None
        shared = common(new.words, old.words)
        if new.children and old.children:
            if any(child.is_definition for child in (*new.children, *old.children)):
                return SAME_NAME if new.head.text == old.head.text else None
            if new.head.words.keys() <= KEYWORDS:
                return shared - UNLIKE if shared > ALIKE else DOUBTFUL if shared > 0.5 else None
            shared = max(shared, 0.5 + 0.5 * shared) if new.head.text == old.head.text else shared
        if new.kind in LEAVING:
            return max(0.15, shared - 0.5)
        if _first_string(new) != _first_string(old):
            shared = min(shared, UNLIKE)
        return shared - UNLIKE if shared >= 0.5 else None

    def _named(self, new: Piece, old: Piece) -> float | None:
        if new.is_definition and old.is_definition:
            return self._definition(new, old)
        if new.kind != old.kind and not (new.is_entry and old.is_entry):
            return None
        if new.has_marker or self._is_only(new, old):
            return SAME_NAME + 0.05 * common(new.words, old.words)
        return SAME_NAME * common(new.words, old.words) - 0.1

    def _definition(self, new: Piece, old: Piece) -> float | None:
        shared = common(new.words, old.words)
        sure = SAME_DEFINITION + 0.1 * shared
        decorated = any(piece.kind == "decorator" for piece in new.decorators)
        if new.role != old.role and (decorated or new.role):
            return None
        same_head = new.head.text == old.head.text
        if self._language == "go" and new.name == "init" and not new.has_marker:
            return sure if shared > UNLIKE else DOUBTFUL  # A file may have several, and none has parameters.
        if new.role in ("overload", "register") or new.name in ("_", "init", "__init_subclass__"):
            return sure if same_head and _signature(new) == _signature(old) else None
        if same_head:
            return sure
        if self._language in OVERLOADING and not new.has_marker and _parameters(new) != _parameters(old):
            if not self._is_only(new, old):
                return None
            return sure if shared > UNLIKE else DOUBTFUL
        return sure if self._is_only(new, old) else SAME_NAME * (common(new.head.words, old.head.words) - UNLIKE)

    def _is_only(self, new: Piece, old: Piece) -> bool:
        return self._of_new[_identity(new)] <= 1 and self._of_old[_identity(old)] <= 1


def common(first: Counter[str], second: Counter[str]) -> float:
    """Share of the words that both have."""
    return 2.0 * (first & second).total() / max(1, first.total() + second.total())


def _identity(piece: Element) -> tuple[str | None, str]:
    return (piece.name, piece.role) if isinstance(piece, Piece) else (None, "")


def _signature(piece: Piece) -> list[str]:
    return [lead.text for lead in piece.decorators if lead.kind == "decorator"]


def _parameters(piece: Piece) -> str:
    """The text from the first bracket of a head on."""
    text = piece.head.text
    return text[text.find("(") :] if "(" in text else ""


def _first_string(piece: Piece) -> str | None:
    parts = piece.head.text.replace('"', "'").split("'")
    return parts[1] if len(parts) > 2 else None


def _extended_import(new: Piece, old: Piece) -> float | None:
    """One import is a version of another only where it has all that the other has, or is a block that begins and ends
    like it."""
    if new.kind == old.kind and new.children and old.children:
        borders = [(piece.head.text, piece.children[-1].text) for piece in (new, old)]
        return SAME_NAME if borders[0] == borders[1] else None
    if new.kind == old.kind and _bound(new) and _bound(new) == _bound(old):
        return SAME_NAME
    if (
        {new.kind, old.kind} <= IMPORTS
        and old.words.total() > 1
        and old.words <= new.words
        and _module(new) == _module(old)
    ):
        return SAME_NAME
    return None


def _renamed(new: Piece, old: Piece) -> float | None:
    """A definition of another name may be a version of one, or a copy, where all but their heads is identical."""
    if new.kind != old.kind or not new.is_definition or not new.children or not old.children or new.has_marker:
        return None
    bodies = [[child.text for child in piece.children[piece.lead + 1 :]] for piece in (new, old)]
    return -IN_A_ROW if bodies[0] == bodies[1] else None


def _bound(piece: Piece) -> str:
    """The part of an import of JavaScript that names what it brings, which can be brought only once; of others none."""
    found = re.match(r"import\s+(.+?)\s+from\s+[\"']", piece.text, re.DOTALL)
    return found[1] if found else ""


def _module(piece: Piece) -> str:
    return " ".join(piece.text.split()[:2])


def _new(element: Piece, before: Piece | None, after: Piece | None) -> float:
    """The value of the edit's piece as a new one there."""
    if element.has_marker:
        return IMPOSSIBLE
    if before is not None and (before.kind == element.kind or {before.kind, element.kind} <= IMPORTS):
        last = element.kind in IMPORTS and (after is None or after.kind not in IMPORTS)
        named = element.name is not None and before.name == element.name
        related = named + (named and before.role == element.role)
        over = after is None or after.name != before.name or (related == 2 and after.role != before.role)
        return NEIGHBOUR * (1.0 + related + (0.25 if last or (related and over) else 0.0))
    header = before is None and after is not None and ("comment" in after.kind or _is_docstring(after))
    return -NEIGHBOUR if header and element.kind in IMPORTS else 0.0


def _is_docstring(piece: Piece) -> bool:
    return piece.text.startswith(('"""', "'''"))


def _letters(piece: Piece) -> int:
    return sum(count * len(word) for word, count in piece.words.items() if word.isalnum())
