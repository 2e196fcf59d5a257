"""Which pieces of a file the pieces of a lazy edit are about, by dynamic programming over both in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from coder.editing.merge.pieces import Piece

KEPT_WHERE_NOTHING_SAYS_SO = 1e-4
"""What it costs for each piece of the file to be kept where the edit has no marker, but may have forgotten one."""

REMOVED = 0.02
"""What it costs for each piece of the file that is removed."""

NEIGHBOUR = 0.01
"""What a new piece gains behind one of its kind."""

ALIKE = 0.5
"""Share of words that two pieces of one kind have in common to be taken for two versions of one."""

ALIKE_IMPORTS = 0.75
"""The same of imports, which are alike anyway."""

ENOUGH_LETTERS = 20
"""A line of so many letters is unlikely to be there twice."""

LEAVING = frozenset("return_statement return_expression raise_statement throw_statement".split())
"""Two of them cannot follow each other."""

IMPORTS = frozenset(
    "import_statement import_from_statement import_declaration preproc_include use_declaration future_import_statement "
    "using_declaration".split()
)


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


def align(edit: Sequence[Element], file: Sequence[Piece], latest: bool) -> tuple[float, list[Aligned]]:
    """The best alignment and its value; of equally good ones that in which what is new stands first, or `latest`."""
    values = _values(edit, file)
    steps: list[Aligned] = []
    row, column = len(edit), len(file)
    while row or column:
        aligned, row, column = _step_back(values, edit, file, row, column, latest)
        if aligned is not None:
            steps.append(aligned)
    return values[-1][-1], steps[::-1]


def likeness(new: Piece, old: Piece) -> float:
    """From 0, two pieces that have nothing to do with each other, to 1: the same one, and a telling one."""
    if new.text == old.text:
        return _weight(old)
    if new.name is not None and old.name is not None:
        if new.name == old.name and (new.kind == old.kind or (new.is_definition and old.is_definition)):
            return 0.7 + 0.15 * _common(new.head.words, old.head.words) + 0.14 * _common(new.words, old.words)
        return 0.5 * common if new.kind == old.kind and (common := _common(new.words, old.words)) > 0.8 else 0.0
    if new.kind != old.kind or (new.name is None) != (old.name is None):
        return 0.0
    common = _common(new.head.words, old.head.words) if new.has_marker else _common(new.words, old.words)
    if common >= (ALIKE_IMPORTS if new.kind in IMPORTS else ALIKE):
        return 0.7 * common * _weight(old)
    return 0.1 if new.kind in LEAVING else 0.0


def _values(edit: Sequence[Element], file: Sequence[Piece]) -> list[list[float]]:
    """The value of the best alignment of each beginning of the edit with each beginning of the file."""
    values = [[-REMOVED * column for column in range(len(file) + 1)]]
    for row, element in enumerate(edit, 1):
        above = values[-1]
        current = [above[0] + _new(element, None, file[0] if file else None)]
        for column, piece in enumerate(file, 1):
            following = file[column] if column < len(file) else None
            best = max(above[column] + _new(element, piece, following), current[-1] + _without(element))
            if isinstance(element, Piece):
                best = max(best, above[column - 1] + _match(edit, row, column, element, piece))
            current.append(best)
        values.append(current)
    return values


def _step_back(
    values: Sequence[Sequence[float]],
    edit: Sequence[Element],
    file: Sequence[Piece],
    row: int,
    column: int,
    latest: bool,
) -> tuple[Aligned | None, int, int]:
    """The last step of the best alignment of two beginnings, and the beginnings before it."""
    element = edit[row - 1] if row else None
    piece = file[column - 1] if column else None
    following = file[column] if column < len(file) else None
    ways: list[tuple[float, Aligned | None, int, int]] = []
    if element is not None:
        only = Aligned(element, None) if isinstance(element, Piece) else None
        ways.append((values[row - 1][column] + _new(element, piece, following), only, row - 1, column))
    if isinstance(element, Piece) and piece is not None:
        likely = values[row - 1][column - 1] + _match(edit, row, column, element, piece)
        ways.append((likely, Aligned(element, piece), row - 1, column - 1))
    if piece is not None:
        gap = element if isinstance(element, Gap) else None
        ways.append((values[row][column - 1] + _without(element), Aligned(gap, piece), row, column - 1))
    best = max(value for value, *_ in ways)
    equal = [way for way in ways if way[0] > best - 1e-9]
    _, aligned, row, column = equal[0] if latest else equal[-1]
    return aligned, row, column


def _new(element: Element, before: Piece | None, after: Piece | None) -> float:
    """What it is worth that the edit's element stands alone there."""
    if isinstance(element, Gap):
        return 0.0
    if before is not None and (before.kind == element.kind or {before.kind, element.kind} <= IMPORTS):
        last = element.kind in IMPORTS and (after is None or after.kind not in IMPORTS)
        return NEIGHBOUR * (1.25 if last else 1.0)
    header = before is None and after is not None and ("comment" in after.kind or _is_docstring(after))
    return -NEIGHBOUR if header and element.kind in IMPORTS else 0.0


def _without(element: Element | None) -> float:
    """What it is worth that the file's piece stands alone behind the element: kept in a gap, otherwise removed."""
    if isinstance(element, Gap):
        return 0.0 if element.marker else -KEPT_WHERE_NOTHING_SAYS_SO
    return -REMOVED


def _match(edit: Sequence[Element], row: int, column: int, new: Piece, old: Piece) -> float:
    value = likeness(new, old)
    return value if value else -1.0


def _is_docstring(piece: Piece) -> bool:
    return piece.text.startswith(('"""', "'''"))


def _weight(piece: Piece) -> float:
    letters = sum(count * len(word) for word, count in piece.words.items() if word.isalnum())
    return min(1.0, (0.3 if letters else 0.1) + 0.7 * letters / ENOUGH_LETTERS)


def _common(first: Counter[str], second: Counter[str]) -> float:
    """Share of the words that both have."""
    return 2.0 * (first & second).total() / max(1, first.total() + second.total())
