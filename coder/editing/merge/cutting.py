"""Cutting a text into pieces, by the nodes of its syntax tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import tree_sitter

from coder.editing.merge.identity import WORD, identity, last_row, role_of
from coder.editing.merge.markers import is_marker, with_markers
from coder.editing.merge.pieces import COMMENTS, DECORATORS, Piece, Pieces
from coder.syntax.scopes import BLOCKS, CLASSES, FUNCTIONS
from coder.syntax.tree import SyntaxTree

SPLICED = frozenset(
    "block decorated_definition statement_list compound_statement statement_block modifiers preproc_elif "
    "preproc_elifdef preproc_else".split()
)
"""Nodes that are no piece of their own: what is in them belongs to what they are in. So with bodies on their own lines.
"""

BODIES = BLOCKS | frozenset(
    "statement_list switch_body switch_block match_block enum_variant_list object_type interface_type "
    "ordered_field_declaration_list enumerator_list class_heritage".split()
)
BRANCHES = frozenset(("if_statement", "if_expression"))
"""Statements that may follow an `else`."""

ENTRIES = frozenset(
    "argument_list arguments array array_expression array_initializer dictionary enumerator_list export_clause "
    "field_initializer_list formal_parameters import_from_statement initializer_list list literal_value named_imports "
    "object object_pattern parameter_list parameters set tuple tuple_expression".split()
)
"""Nodes whose children stand between brackets with commas between them."""

CHAINS = frozenset(
    "await_expression binary_expression binary_operator boolean_operator call call_expression field_expression "
    "member_expression method_invocation try_expression".split()
)
"""Nodes whose first part may be one of their kind: `a.b().c()`, `a and b and c`. The links are pieces side by side."""


def pieces_of(text: str, language: str, lazy: bool = False, check: Callable[[], None] = lambda: None) -> Pieces | None:
    """Return the text in pieces; None when no grammar for the language is installed.

    Args:
        lazy: whether markers stand for code. In Python a block may be nothing but one, which no grammar knows.
        check: called for every piece; it may raise.
    """
    tree = SyntaxTree.of(text, language)
    if tree is None:
        return None
    lines = tuple(text.split("\n"))
    markers = frozenset(row for row, line in enumerate(lines) if lazy and is_marker(line))
    tree = with_markers(tree, language, lines, markers)
    cutter = _Cutter(tree, lines, markers, check)
    broken = next((node.start_point.row for node in tree.nodes() if node.is_error or node.is_missing), None)
    return Pieces(lines, tuple(cutter.split(tree.root.children)), frozenset(cutter.fixed()), broken)


@dataclass(frozen=True)
class _Cutter:
    tree: SyntaxTree
    lines: tuple[str, ...]
    markers: frozenset[int]
    check: Callable[[], None]

    def split(self, nodes: Sequence[tree_sitter.Node]) -> list[Piece]:
        """The pieces that sibling nodes make up."""
        pieces: list[Piece] = []
        for group in _groups(self._apart(nodes)):
            self.check()
            node = max(group, key=lambda node: last_row(node) - node.start_point.row)
            if len(group) == 1 and node.type in SPLICED | BODIES:
                pieces += self.split(node.children)
            elif len(group) == 1 and (parts := _chained(node)):
                pieces += self.split(parts)
            elif pieces and node.start_point.row in self.markers and self._goes_on(pieces[-1], group[0]):
                pieces[-1] = self._with_marker(pieces[-1], self._piece(group, node))
            else:
                pieces += self._hoisted(self._piece(group, node))
        return self._with_leads(pieces)

    def fixed(self) -> Iterator[int]:
        for node in self.tree.nodes():
            if "string" in node.type and node.end_point.row > node.start_point.row:
                yield from range(node.start_point.row + 1, node.end_point.row + 1)

    def _hoisted(self, piece: Piece) -> list[Piece]:
        """The piece, and behind it the markers at its end that are no deeper than it and so no part of it."""
        behind: list[Piece] = []
        while len(piece.children) > 1 and (last := piece.children[-1]).is_marker:
            if len(last.indentation) > len(piece.indentation):
                break
            behind.insert(0, last)
            kept = piece.children[:-1]
            end = kept[-1].last
            piece = replace(
                piece,
                last=end,
                children=kept if len(kept) > 1 else (),
                has_marker=any(child.has_marker for child in kept),
                text=self._text(piece.first, end, piece.indentation),
            )
        return [piece, *behind]

    def _goes_on(self, piece: Piece, marker: tree_sitter.Node) -> bool:
        """True where a marker is in a row with the last lines of a piece, deeper than its first one, so that it stands
        for more of the same: the calls of a chain, whose grammar takes no comment for a part of it."""
        column = marker.start_point.column
        return (
            bool(piece.children) and column > len(piece.indentation) and column == len(piece.children[-1].indentation)
        )

    def _with_marker(self, piece: Piece, marker: Piece) -> Piece:
        return replace(
            piece,
            last=marker.last,
            children=(*piece.children, marker),
            has_marker=True,
            text=self._text(piece.first, marker.last, piece.indentation),
        )

    def _with_leads(self, pieces: Sequence[Piece]) -> list[Piece]:
        """The pieces, comments and decorators right above a definition being parts of it."""
        found: list[Piece] = []
        for piece in pieces:
            count = _leads(found, piece)
            if count:
                leads, found = found[-count:], found[:-count]
                piece = self._joined(leads, piece)
            found.append(piece)
        return found

    def _joined(self, leads: Sequence[Piece], piece: Piece) -> Piece:
        first = leads[0].first
        text = self._text(first, piece.last, piece.indentation)
        return replace(
            piece,
            first=first,
            role=role_of(piece, [lead.text for lead in leads if lead.kind in DECORATORS]),
            text=text,
            blanks=leads[0].blanks,
            has_marker=piece.has_marker or any(lead.has_marker for lead in leads),
            children=(*leads, *(piece.children or (replace(piece, blanks=0),))),
            lead=len(leads) + piece.lead,
            words=Counter(WORD.findall(text)),
        )

    def _text(self, first: int, last: int, indentation: str) -> str:
        return "\n".join(line.removeprefix(indentation).rstrip() for line in self.lines[first : last + 1])

    def _piece(self, group: Sequence[tree_sitter.Node], node: tree_sitter.Node) -> Piece:
        first, last = group[0].start_point.row, max(map(last_row, group))
        children: list[Piece] = []
        if last > first and (parts := self._inside(group) or _in_head(group)):
            children = self.split(parts)
            while len(children) == 1 and children[0].children:
                children = list(children[0].children)
            if children and children[0].kind in CHAINS:
                children = [*(children[0].children or children[:1]), *children[1:]]
        lines = self.lines[first : last + 1]
        indentation = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
        text = self._text(first, last, indentation)
        blanks = 0
        while first - blanks > 0 and not self.lines[first - blanks - 1].strip():
            blanks += 1
        code = [each for each in group if each.type not in COMMENTS] or list(group)
        kind, name, role = identity(self.tree, node)
        parent = node.parent
        return Piece(
            kind,
            name,
            role,
            first,
            last,
            text,
            indentation,
            blanks,
            not self.markers.isdisjoint(range(first, last + 1)),
            tuple(children) if len(children) > 1 else (),
            _inner_leads(children) if kind in FUNCTIONS | CLASSES else 0,
            parent is not None and parent.type in ENTRIES and node.is_named and node.type not in COMMENTS,
            code[-1].type == ",",
            len(self.lines[last].encode()) - code[-1].end_point.column if last_row(code[-1]) == last else 0,
            Counter(WORD.findall(text)),
        )

    def _inside(self, group: Sequence[tree_sitter.Node]) -> list[tree_sitter.Node]:
        """The parts of a group, none if there are not several."""
        nodes = list(group)
        while True:
            parts = [part for node in nodes for part in self._parts(node)]
            if len(parts) > len(group):
                return parts
            if parts == nodes:
                return []
            nodes = parts

    def _apart(self, nodes: Sequence[tree_sitter.Node]) -> list[tree_sitter.Node]:
        """The nodes, those that share a line with another one taken apart as far as they have bodies. A comma, a
        semicolon or a comment on the last line of what it follows belongs to that."""
        nodes = [node for node in nodes if self.tree.text_of(node).strip()]
        while True:
            groups = [[node for node in group if not _is_trailing(node)] for group in _groups(nodes)]
            shared = {node.id for group in groups if len(group) > 1 for node in group}
            wide = [node for node in nodes if node.id in shared and len(self._parts(node)) > 1]
            if not wide:
                return nodes
            nodes = [part for node in nodes for part in (self._parts(node) if node in wide else [node])]

    def _parts(self, node: tree_sitter.Node) -> list[tree_sitter.Node]:
        """The parts of a node of several lines; of a node with a body only that is taken apart."""
        if last_row(node) == node.start_point.row:
            return [node]
        if _is_head(node) and node.type not in SPLICED:
            return [node]
        return [part for part in node.children if self.tree.text_of(part).strip()] or [node]


def _leads(above: Sequence[Piece], piece: Piece) -> int:
    """The number of pieces right above a definition that are its comments and decorators, markers between included."""
    count = 0
    blanks = piece.blanks
    while piece.is_definition and not blanks and count < len(above):
        each = above[-1 - count]
        if each.is_marker:
            following = above[-2 - count].kind if count + 2 <= len(above) else ""
            if following not in DECORATORS and not (count and following in COMMENTS):
                break
        elif each.kind not in COMMENTS | DECORATORS:
            break
        blanks, count = each.blanks, count + 1
    return count


def _inner_leads(children: Sequence[Piece]) -> int:
    """The number of decorators that a definition begins with, markers between them included."""
    decorators = [index for index, child in enumerate(children[:-1]) if child.kind in DECORATORS]
    if not decorators:
        return 0
    between = children[: decorators[-1]]
    return decorators[-1] + 1 if all(each.is_marker or each.kind in COMMENTS | DECORATORS for each in between) else 0


def _in_head(group: Sequence[tree_sitter.Node]) -> list[tree_sitter.Node]:
    """The parts of a head whose parameters stand on lines of their own; none of others."""
    nodes = list(group) if any(map(_is_head, group)) else []
    while wide := next((node for node in nodes if last_row(node) > node.start_point.row), None):
        at = nodes.index(wide)
        nodes[at : at + 1] = wide.children
        if wide.type in ENTRIES:
            return nodes
    return []


def _chained(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    """The parts of an `else if` that another `else` follows, so that the two stand side by side; none of others."""
    last = node.children[-1] if node.type == "else_clause" and node.children else None
    if last is None or last.type not in BRANCHES or last.child_by_field_name("alternative") is None:
        return []
    return [*node.children[:-1], *last.children]


def _is_trailing(node: tree_sitter.Node) -> bool:
    """Return whether a node belongs to the one before it, on whose last line it stands."""
    before = node.prev_sibling
    if node.type not in {",", ";"} | COMMENTS or before is None:
        return False
    return last_row(before) == node.start_point.row


def _is_head(node: tree_sitter.Node) -> bool:
    """Return whether it stands before the body of what it belongs to."""
    parent = node.parent
    if parent is None or parent.parent is None or parent.type in BODIES or node.type in BODIES | BRANCHES:
        return False
    return not node.type.endswith("_clause") and any(sibling.type in BODIES for sibling in parent.children)


def _groups(nodes: Sequence[tree_sitter.Node]) -> list[list[tree_sitter.Node]]:
    """The nodes, those that share lines together."""
    groups: list[list[tree_sitter.Node]] = []
    last = -1
    for node in nodes:
        if groups and node.start_point.row <= last:
            groups[-1].append(node)
        else:
            groups.append([node])
        last = max(last, last_row(node))
    return groups
