"""Damage to Python after which it no longer parses: the slips of somebody who types fast."""

from __future__ import annotations

import random
from collections.abc import Iterator

import tree_sitter

from coder.syntax.mutations.semantic_mutations import Replacement, misspell
from coder.syntax.tree import SyntaxTree

BRACKETS = frozenset("()[]{}")
QUOTES = frozenset(("'", '"', "'''", '"""'))
INDENTATIONS = (-4, -2, -1, 1, 2, 4)


def missing_bracket(tree: SyntaxTree, start: int, end: int, _: random.Random) -> Iterator[Replacement]:
    """A bracket is missing, an opening or a closing one."""
    yield from (_removed(tree, leaf) for leaf in _leaves(tree, start, end) if leaf.type in BRACKETS)


def superfluous_bracket(tree: SyntaxTree, start: int, end: int, _: random.Random) -> Iterator[Replacement]:
    """A closing bracket stands there twice."""
    for leaf in _leaves(tree, start, end):
        if leaf.type in (")", "]", "}"):
            yield (*tree.span(leaf), leaf.type * 2)


def missing_colon(tree: SyntaxTree, start: int, end: int, _: random.Random) -> Iterator[Replacement]:
    """The colon that opens a block is missing."""
    for leaf in _leaves(tree, start, end):
        if leaf.type == ":" and leaf.next_sibling is not None and leaf.next_sibling.type == "block":
            yield _removed(tree, leaf)


def missing_quote(tree: SyntaxTree, start: int, end: int, _: random.Random) -> Iterator[Replacement]:
    """A string is not closed."""
    for leaf in _leaves(tree, start, end):
        if leaf.type == "string_end" and tree.text_of(leaf) in QUOTES:
            last = tree.span(leaf)[1]
            yield last - 1, last, ""


def missing_comma(tree: SyntaxTree, start: int, end: int, _: random.Random) -> Iterator[Replacement]:
    """A comma between two elements is missing."""
    yield from (_removed(tree, leaf) for leaf in _leaves(tree, start, end) if leaf.type == ",")


def missing_token(tree: SyntaxTree, start: int, end: int, _: random.Random) -> Iterator[Replacement]:
    """A name, a number, an operator or a keyword is missing."""
    for leaf in _leaves(tree, start, end):
        if leaf.type not in BRACKETS | {":", ",", "string_end", "string_start", "string_content", "comment"}:
            yield _removed(tree, leaf)


def doubled_token(tree: SyntaxTree, start: int, end: int, _: random.Random) -> Iterator[Replacement]:
    """A word stands there twice."""
    for leaf in _leaves(tree, start, end):
        if (word := tree.text_of(leaf)).isidentifier() and leaf.type != "string_content":
            yield (*tree.span(leaf), f"{word} {word}")


def misspelt_keyword(tree: SyntaxTree, start: int, end: int, generator: random.Random) -> Iterator[Replacement]:
    """A keyword is misspelt: `retrun`, `whle`."""
    for leaf in _leaves(tree, start, end):
        if not leaf.is_named and leaf.type.isidentifier():
            yield (*tree.span(leaf), misspell(leaf.type, generator))


def broken_indentation(tree: SyntaxTree, start: int, end: int, _: random.Random) -> Iterator[Replacement]:
    """A line is indented too far, or not far enough."""
    for node in tree.nodes(start, end):
        if node.parent is None or node.parent.type != "block":
            continue
        first = tree.span(node)[0]
        line_start = tree.text.rfind("\n", 0, first) + 1
        blanks = tree.text[line_start:first]
        if blanks.strip(" ") or line_start < start:
            continue
        for change in INDENTATIONS:
            if len(blanks) + change >= 0:
                yield line_start, first, " " * (len(blanks) + change)


SYNTAX = (
    missing_bracket,
    superfluous_bracket,
    missing_colon,
    missing_quote,
    missing_comma,
    missing_token,
    doubled_token,
    misspelt_keyword,
    broken_indentation,
)


def _leaves(tree: SyntaxTree, start: int, end: int) -> Iterator[tree_sitter.Node]:
    """The tokens of the region, those inside strings left out."""
    for node in tree.nodes(start, end):
        if node.child_count == 0 and node.end_byte > node.start_byte:
            yield node


def _removed(tree: SyntaxTree, node: tree_sitter.Node) -> Replacement:
    return (*tree.span(node), "")
