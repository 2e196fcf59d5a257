"""Markers in Python, whose grammar takes no block that is nothing but a comment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from coder.syntax.tree import SyntaxTree

BRACKETS = frozenset(
    "argument_list dictionary dictionary_comprehension generator_expression list list_comprehension parameters "
    "parenthesized_expression set set_comprehension tuple subscript import_from_statement".split()
)
"""Nodes in which a statement cannot stand."""


def with_statements(tree: SyntaxTree, lines: Sequence[str], markers: frozenset[int]) -> SyntaxTree:
    """The tree of Python with a statement in the place of each marker, for a block may be nothing but one. It stays a
    comment between brackets, and where the text is less broken with a comment: between cases, before `else`."""
    statements = markers - {
        node.start_point.row for node in tree.nodes() if node.type == "comment" and node.start_point.row in markers
        and (parent := node.parent) is not None and parent.type in BRACKETS
    }  # fmt: skip
    best = _tree(lines, statements)
    broken = best.broken_characters()
    for row in sorted(statements) if broken else ():
        attempt = _tree(lines, statements - {row})
        errors = attempt.broken_characters()
        if errors < broken:
            best, broken, statements = attempt, errors, statements - {row}
    return best


def _tree(lines: Sequence[str], statements: Iterable[int]) -> SyntaxTree:
    text = list(lines)
    for row in statements:
        text[row] = text[row][: len(text[row]) - len(text[row].lstrip())] + "pass"
    tree = SyntaxTree.of("\n".join(text), "python")
    assert tree is not None, "the grammar of Python is a dependency"
    return tree
