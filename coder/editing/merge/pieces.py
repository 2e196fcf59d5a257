"""A text as a tree of pieces: whole lines that belong together, by the language's syntax.

A function is its head, its statements and, where there is one, its closing line; a statement over several lines is made
of lines too. What shares a line is one piece.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import tree_sitter

from coder.editing.merge.markers import is_marker
from coder.syntax.scopes import BLOCKS, CLASSES, FUNCTIONS, declared_name
from coder.syntax.tree import SyntaxTree

SPLICED = frozenset(("block", "decorated_definition", "statement_list", "compound_statement", "statement_block"))
"""Nodes that are no piece of their own: what is in them belongs to what they are in."""

BODIES = BLOCKS | frozenset(
    "statement_list switch_body switch_block match_block enum_variant_list object_type interface_type "
    "ordered_field_declaration_list enumerator_list class_heritage".split()
)
BRANCHES = frozenset(("if_statement", "if_expression"))
"""What may follow an `else`."""

BRACKETS = frozenset(
    "argument_list dictionary dictionary_comprehension generator_expression list list_comprehension parameters "
    "parenthesized_expression set set_comprehension tuple subscript import_from_statement".split()
)
"""Python's nodes between brackets, where a statement cannot stand."""

WORD = re.compile(r"\w+")
DECLARING = re.compile(r".*(?:declaration|declarator|item|signature|pair|definition|_spec|enumerator|variant)")


@dataclass(frozen=True)
class Piece:
    """Lines `first` to `last` of a text, the last one included.

    Attributes:
        kind: of the node that it is, or of the largest one in it; in quotes where that is a mere token.
        name: of a definition, a declaration, the target of an assignment, an entry; None for everything else.
        text: its lines without their common place in the file: the first line's indentation is taken from each.
        indentation: of its first line. blanks: how many blank lines stand right above.
        children: the pieces it is made of, none for a single line.
        has_marker: whether there is a marker in it; a piece of one line that has one is a marker.
        words: how often each word is in it.
    """

    kind: str
    name: str | None
    first: int
    last: int
    text: str
    indentation: str
    blanks: int
    has_marker: bool
    children: tuple[Piece, ...]
    words: Counter[str] = field(repr=False)

    @property
    def is_marker(self) -> bool:
        return self.has_marker and self.first == self.last

    @property
    def is_definition(self) -> bool:
        return self.kind in FUNCTIONS or self.kind in CLASSES

    @property
    def head(self) -> Piece:
        return self.children[0] if self.children else self


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
        """The pieces of the text, and those of every piece in it, the outermost first."""
        pending = [self.top]
        while pending:
            pieces = pending.pop(0)
            yield pieces
            pending.extend(piece.children for piece in pieces if piece.children)


def pieces_of(text: str, language: str, lazy: bool = False) -> Pieces | None:
    """The text in pieces; None when no grammar for the language is installed.

    Args:
        lazy: whether markers stand for code. In Python a block may be nothing but one, which no grammar knows.
    """
    tree = SyntaxTree.of(text, language)
    if tree is None:
        return None
    lines = tuple(text.split("\n"))
    markers = frozenset(row for row, line in enumerate(lines) if lazy and is_marker(line))
    if markers and language == "python":
        tree = SyntaxTree.of("\n".join(_with_statements(tree, lines, markers)), language) or tree
    builder = _Builder(tree, lines, markers)
    broken = next((node.start_point.row for node in tree.nodes() if node.is_error or node.is_missing), None)
    return Pieces(lines, tuple(builder.split(tree.root.children)), frozenset(builder.fixed()), broken)


def _with_statements(tree: SyntaxTree, lines: Sequence[str], markers: frozenset[int]) -> Iterator[str]:
    """The lines with a statement in the place of each marker, but between brackets."""
    between_brackets = {
        node.start_point.row for node in tree.nodes() if node.type == "comment" and node.start_point.row in markers
        and (parent := node.parent) is not None and parent.type in BRACKETS
    }  # fmt: skip
    for row, line in enumerate(lines):
        if row in markers and row not in between_brackets:
            yield line[: len(line) - len(line.lstrip())] + "pass"
        else:
            yield line


@dataclass(frozen=True)
class _Builder:
    tree: SyntaxTree
    lines: tuple[str, ...]
    markers: frozenset[int]

    def split(self, nodes: Sequence[tree_sitter.Node]) -> list[Piece]:
        """The pieces that sibling nodes make up."""
        pieces: list[Piece] = []
        for group in _groups(self._apart(nodes)):
            node = max(group, key=lambda node: _last_row(node) - node.start_point.row)
            if len(group) == 1 and node.type in SPLICED:
                pieces += self.split(node.children)
            else:
                pieces.append(self._piece(group, node))
        return pieces

    def fixed(self) -> Iterator[int]:
        for node in self.tree.nodes():
            if "string" in node.type and node.end_point.row > node.start_point.row:
                yield from range(node.start_point.row + 1, node.end_point.row + 1)

    def _piece(self, group: Sequence[tree_sitter.Node], node: tree_sitter.Node) -> Piece:
        first, last = group[0].start_point.row, max(map(_last_row, group))
        children: list[Piece] = []
        if last > first and (parts := self._inside(group)):
            children = self.split(parts)
            while len(children) == 1 and children[0].children:
                children = list(children[0].children)
        lines = self.lines[first : last + 1]
        indentation = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
        text = "\n".join(line.removeprefix(indentation).rstrip() for line in lines)
        blanks = 0
        while first - blanks > 0 and not self.lines[first - blanks - 1].strip():
            blanks += 1
        return Piece(
            *self._identity(node),
            first,
            last,
            text,
            indentation,
            blanks,
            not self.markers.isdisjoint(range(first, last + 1)),
            tuple(children) if len(children) > 1 else (),
            Counter(WORD.findall(text)),
        )

    def _inside(self, group: Sequence[tree_sitter.Node]) -> list[tree_sitter.Node]:
        """What a group is made of, none if it is not made of several parts."""
        nodes = list(group)
        while True:
            parts = [part for node in nodes for part in self._parts(node)]
            if len(parts) > len(group):
                return parts
            if parts == nodes:
                return []
            nodes = parts

    def _apart(self, nodes: Sequence[tree_sitter.Node]) -> list[tree_sitter.Node]:
        """The nodes, those that share a line with another one taken apart as far as they have bodies."""
        nodes = [node for node in nodes if self.tree.text_of(node).strip()]
        while True:
            shared = {node.id for group in _groups(nodes) if len(group) > 1 for node in group}
            wide = [node for node in nodes if node.id in shared and len(self._parts(node)) > 1]
            if not wide:
                return nodes
            nodes = [part for node in nodes for part in (self._parts(node) if node in wide else [node])]

    def _parts(self, node: tree_sitter.Node) -> list[tree_sitter.Node]:
        """What a node of several lines may be taken apart into: where it has a body, only that is."""
        if _last_row(node) == node.start_point.row:
            return [node]
        return (
            [node] if _is_head(node) else [part for part in node.children if self.tree.text_of(part).strip()] or [node]
        )

    def _identity(self, node: tree_sitter.Node) -> tuple[str, str | None]:
        """Kind and name: those of the definition that begins on the first line, if one does."""
        row, inner, name = node.start_point.row, node, None
        while inner is not None and inner.start_point.row == row:
            if inner.type in FUNCTIONS or inner.type in CLASSES:
                return inner.type, declared_name(self.tree, inner) or name
            name = name or self._given_name(inner)
            inner = next((child for child in reversed(inner.named_children) if _may_define(child, row)), None)
        if name is not None:
            return node.type, name
        return node.type if node.is_named else repr(node.type), None

    def _given_name(self, node: tree_sitter.Node) -> str | None:
        """What a declaration, an assignment or an entry of a table is for."""
        if node.type == "assignment":
            target = node.child_by_field_name("left")
        elif DECLARING.fullmatch(node.type):
            target = node.child_by_field_name("key") or node.child_by_field_name("left")
            if target is None:
                return declared_name(self.tree, node)
        else:
            return None
        return None if target is None else self.tree.text_of(target)


def _may_define(node: tree_sitter.Node, row: int) -> bool:
    return _last_row(node) > row or node.type == "assignment" or DECLARING.fullmatch(node.type) is not None


def _is_head(node: tree_sitter.Node) -> bool:
    """Whether it stands before the body of what it belongs to."""
    parent = node.parent
    if parent is None or parent.parent is None or parent.type in BODIES or node.type in BODIES | BRANCHES:
        return False
    return not node.type.endswith("_clause") and any(sibling.type in BODIES for sibling in parent.children)


def _last_row(node: tree_sitter.Node) -> int:
    """A node that ends with its line feed ends on that line."""
    end = node.end_point
    return end.row - (end.column == 0 and end.row > node.start_point.row)


def _groups(nodes: Sequence[tree_sitter.Node]) -> list[list[tree_sitter.Node]]:
    """The nodes, those that share lines together."""
    groups: list[list[tree_sitter.Node]] = []
    last = -1
    for node in nodes:
        if groups and node.start_point.row <= last:
            groups[-1].append(node)
        else:
            groups.append([node])
        last = max(last, _last_row(node))
    return groups
