"""The likelihood that a piece of an edit is a version of one of the file, by their names, roles and words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from coder.editing.merge.pieces import Piece

NEIGHBOUR = 0.01
"""The gain of a new piece behind one of its kind."""

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

IMPOSSIBLE = -1.0
"""The cost of a piece with a marker in it that stands for nothing, which is refused in the end."""

LEAVING = frozenset("return_statement return_expression raise_statement throw_statement".split())
"""Two of them cannot follow each other."""

CALLS = frozenset("await call call_expression expression_statement macro_invocation method_invocation".split())
"""Statements and entries that may stand again below, about something else: `items.add(a)`, `items.add(b)`."""

IMPORTS = frozenset(
    "import_statement import_from_statement import_declaration preproc_include use_declaration future_import_statement "
    "using_declaration".split()
)

OVERLOADING = frozenset(("java", "cpp", "csharp", "kotlin", "typescript", "typescriptreact"))
"""Languages in which functions of one name differ by their parameters."""

BY_SIGNATURES = ("typescript", "typescriptreact")
"""Languages that overload by signatures alone: of functions with a body there is one."""

COPIED = -0.3
"""The value of a definition that differs from another one in its head alone, so that it may be a copy of it."""


class Likeness:
    """The likelihood that each piece of an edit is a version of each piece of a file that stands beside others."""

    def __init__(self, edit: Sequence[Piece | None], file: Sequence[Piece], language: str) -> None:
        self._edit, self._file, self._language = edit, file, language
        new = (piece for piece in edit if piece is not None)
        self._of_new, self._of_old = Counter(map(identity_of, new)), Counter(map(identity_of, file))
        self._known: dict[tuple[int, int], float | None] = {}

    def __call__(self, row: int, column: int) -> float | None:
        """From below 0, rather another piece, to 1, the same one; None where it cannot be one."""
        key = row, column
        if key not in self._known:
            new = self._edit[row]
            assert new is not None
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
            return DOUBTFUL if shared >= 0.5 and (shared > 0.5 or not new.is_entry) else None
        if 0.5 <= shared < UNLIKE and new.kind in CALLS and new.words - old.words and old.words - new.words:
            return DOUBTFUL
        return shared - UNLIKE if shared >= 0.5 else None

    def _named(self, new: Piece, old: Piece) -> float | None:
        if new.is_definition and old.is_definition:
            return self._definition(new, old)
        if new.kind != old.kind and not (new.is_entry and old.is_entry):
            return None
        if new.role and (new.role != old.role or new.role == "overload"):
            return None
        only = self._is_only(new, old)
        if (
            only
            and not new.has_marker
            and self._language in OVERLOADING
            and _declared_types(new) != _declared_types(old)
        ):
            return DOUBTFUL
        if new.has_marker or only:
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
            return sure if _share_a_line(new, old) else DOUBTFUL  # A file may have several, and none has parameters.
        if may_stand_twice(new):
            return sure if same_head and _signature(new) == _signature(old) else None
        if not new.has_marker and registers_another(new, old):
            return DOUBTFUL
        if same_head:
            return sure
        if self._language in OVERLOADING and not new.has_marker and _parameters(new) != _parameters(old):
            if not self._is_only(new, old):
                return None
            overloads = self._language not in BY_SIGNATURES and _types(new) != _types(old)
            return sure if shared > UNLIKE and not overloads else DOUBTFUL
        return sure if self._is_only(new, old) else SAME_NAME * (common(new.head.words, old.head.words) - UNLIKE)

    def _is_only(self, new: Piece, old: Piece) -> bool:
        return self._of_new[identity_of(new)] <= 1 and self._of_old[identity_of(old)] <= 1


def common(first: Counter[str], second: Counter[str]) -> float:
    """Share of the words that both have."""
    return 2.0 * (first & second).total() / max(1, first.total() + second.total())


def identity_of(piece: Piece) -> tuple[str | None, str]:
    """The name and the role by which a definition is told apart from others beside it."""
    return piece.name, piece.role


def may_stand_twice(piece: Piece) -> bool:
    """Return whether a definition may stand beside another one of its name and role."""
    return piece.role in ("overload", "register") or piece.name in ("_", "init", "__init_subclass__")


def _signature(piece: Piece) -> list[str]:
    return [lead.text for lead in piece.decorators if lead.kind == "decorator"]


def registers_another(new: Piece, old: Piece) -> bool:
    """Return whether another function of the same name, with other arguments of its decorators, may stand beside it:
    the steps of a test, which nobody calls by name."""
    above, below = (set(_signature(piece)) for piece in (new, old))
    given = bool(above and below) and all("(" in text for text in above | below)
    return given and above.isdisjoint(below) and common(new.words, old.words) <= UNLIKE


def _parameters(piece: Piece) -> str:
    """The text from the first bracket of a head on."""
    text = piece.head.text
    return text[text.find("(") :] if "(" in text else ""


def _types(piece: Piece) -> list[str]:
    """The parameters of a function without their names, as nearly as words tell."""
    text, depth = _parameters(piece), 0
    end = len(text)
    for index, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            end = index
            break
    given = (" ".join(each.split()) for each in text[1:end].split(","))
    return [re.sub(r"(?<=[\s*&])\w+$", "", each).strip() for each in given]


def _declared_types(piece: Piece) -> list[str]:
    """The parameters of a function that is declared without a body; none of anything else."""
    is_function = piece.kind.endswith(("declaration", "signature")) and "=" not in piece.text.split("(")[0]
    if not is_function or "(" not in piece.text:
        return []
    return [_parameters(piece)] if piece.kind.endswith("signature") else _types(piece)


def _share_a_line(new: Piece, old: Piece) -> bool:
    """Return whether a line between head and end of two definitions is the same."""
    lines = [{line.strip() for line in piece.text.split("\n")[1:-1]} - {""} for piece in (new, old)]
    return bool(lines[0] & lines[1])


def _first_string(piece: Piece) -> str | None:
    text = piece.text if piece.head.text.endswith(("(", "[", "({", "[{")) else piece.head.text
    parts = text.replace('"', "'").split("'")
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
    return COPIED if bodies[0] == bodies[1] else None


def _bound(piece: Piece) -> str:
    """The part of an import of JavaScript that names what it brings, which can be brought only once; of others none."""
    found = re.match(r"import\s+(.+?)\s+from\s+[\"']", piece.text, re.DOTALL)
    return found[1] if found else ""


def _module(piece: Piece) -> str:
    return " ".join(piece.text.split()[:2])


def worth_as_new(element: Piece, before: Piece | None, after: Piece | None) -> float:
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
