"""A text as a tree of pieces: whole lines that belong together, by the language's syntax.

A function is its head, its statements and, where there is one, its closing line; a statement over several lines is made
of lines too. What shares a line is one piece.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from coder.syntax.scopes import CLASSES, FUNCTIONS

COMMENTS = frozenset(("comment", "line_comment", "block_comment"))
DECORATORS = frozenset("decorator attribute_item annotation marker_annotation attribute_declaration".split())
CASES = frozenset(
    "case_clause case_statement communication_case default_case expression_case match_arm switch_block_statement_group "
    "switch_case switch_default switch_rule type_case".split()
)


@dataclass(frozen=True)
class Piece:
    """Lines `first` to `last` of a text, the last one included.

    Attributes:
        kind: of the node that it is, or of the largest one in it; in quotes where that is a mere token.
        name: of a definition, a declaration, the target of an assignment, an entry, a case; None for everything else.
        role: tells apart definitions that share a name: a property's setter, an overload, a registered variant.
        text: its lines without their common place in the file: the first line's indentation is taken from each.
        indentation: of its first line. blanks: how many blank lines stand right above.
        children: the pieces it is made of, none for a single line.
        lead: how many of the children are comments and decorators above a definition's head.
        has_marker: whether there is a marker in it; a piece of one line that has one is a marker.
        is_entry: whether it stands between brackets, with commas around it. has_comma: whether one follows it.
        behind: characters on the last line behind its code, such as a comment.
        words: how often each word is in it.
    """

    kind: str
    name: str | None
    role: str
    first: int
    last: int
    text: str
    indentation: str
    blanks: int
    has_marker: bool
    children: tuple[Piece, ...]
    lead: int
    is_entry: bool
    has_comma: bool
    behind: int
    words: Counter[str] = field(repr=False)

    @property
    def is_marker(self) -> bool:
        return self.has_marker and self.first == self.last

    @property
    def is_definition(self) -> bool:
        return self.kind in FUNCTIONS or self.kind in CLASSES

    @property
    def is_case(self) -> bool:
        return self.kind in CASES

    @property
    def head(self) -> Piece:
        return self.children[self.lead] if self.children else self

    @property
    def decorators(self) -> tuple[Piece, ...]:
        """The decorators and comments above the head."""
        return self.children[: self.lead]


@dataclass(frozen=True)
class Pieces:
    """A text in pieces.

    Attributes:
        lines: of the text, without their line feeds.
        top: the pieces it is made of.
        fixed: lines that begin inside a string, whose indentation is text.
        broken: the number of the first line at which the text is no code, from 0; None where it is.
    """

    lines: tuple[str, ...]
    top: tuple[Piece, ...]
    fixed: frozenset[int]
    broken: int | None

    def containers(self) -> Iterator[tuple[Piece, ...]]:
        """The pieces of the text, and those of every piece in it, the outermost first; no decorators, no parts of a
        head."""
        pending = [self.top]
        while pending:
            pieces = pending.pop(0)
            yield pieces
            bodies = pieces if pieces is self.top else pieces[1:]
            pending.extend(inside for piece in bodies if len(inside := piece.children[piece.lead :]) > 1)
