"""The scopes that enclose a place: functions, classes and blocks; and how far a hole at that place should reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import tree_sitter

from coder.syntax.parsing import Span
from coder.syntax.tree import SyntaxTree

ScopeKind = Literal["function", "class", "block"]
HoleSize = Literal["token", "expression", "line", "statement", "block"]

FUNCTIONS = frozenset(
    "arrow_function closure_expression constructor_declaration compact_constructor_declaration func_literal "
    "function_declaration function_definition function_expression function_item generator_function "
    "generator_function_declaration lambda lambda_expression method_declaration method_definition".split()
)
CLASSES = frozenset(
    "abstract_class_declaration annotation_type_declaration class class_declaration class_definition class_specifier "
    "enum_declaration enum_item enum_specifier impl_item interface_declaration mod_item namespace_definition "
    "record_declaration struct_item struct_specifier trait_item type_spec union_specifier".split()
)
BLOCKS = frozenset(
    "block class_body compound_statement constructor_body declaration_list enum_body field_declaration_list "
    "interface_body statement_block".split()
)
"""Node types of the supported grammars; where two grammars use the same word, they mean the same."""


@dataclass(frozen=True)
class Scope:
    """A function, a class or a block.

    Attributes:
        name: as declared; None for a block and for a function without a name.
        start, end: the whole of it, its head included. body: what is inside, brackets included where there are some.
    """

    kind: ScopeKind
    name: str | None
    start: int
    end: int
    body: Span


def scopes_at(text: str, language: str, position: int) -> list[Scope] | None:
    """The scopes that enclose a position, the innermost first; None when no grammar for the language is installed.

    A function's body is a part of its function and no block of its own. On a blank line of Python the position's
    column decides, as it will for what is going to be written there.
    """
    tree = SyntaxTree.of(text, language)
    if tree is None:
        return None
    started = None
    if language == "python" and (above := _line_above(text, position)) is not None:
        position, started = above
    node = tree.smallest(position, position)
    scopes = (scope for ancestor in _ancestors(node) if (scope := _scope(tree, ancestor)) is not None)
    return [scope for scope in scopes if scope.kind == "block" or scope.start != started]


def functions(text: str, language: str) -> list[Scope] | None:
    """Every function of a text that has a name, in order; None when no grammar for the language is installed."""
    tree = SyntaxTree.of(text, language)
    if tree is None:
        return None
    scopes = (_scope(tree, node) for node in tree.nodes() if node.type in FUNCTIONS)
    return [scope for scope in scopes if scope is not None and scope.name is not None]


def hole_border(text: str, language: str, start: int, end: int, size: HoleSize) -> Span | None:
    """The smallest piece of code of a size that covers the characters from `start` to `end`.

    Args:
        size: `token`; `expression` (the smallest node of several tokens); `line` (lines without their indentation and
            their last line break); `statement` (what stands as one piece in its block); `block` (the block).

    Returns: None when no grammar for the language is installed; lines need none.
    """
    if size == "line":
        return _lines(text, start, end)
    tree = SyntaxTree.of(text, language)
    if tree is None:
        return None
    for node in _ancestors(tree.smallest(start, end)):
        if node.parent is not None and _is_of_size(node, size):
            return tree.span(node)
    return 0, len(text)


def _is_of_size(node: tree_sitter.Node, size: HoleSize) -> bool:
    if size == "token":
        return True
    if size == "expression":
        return node.is_named and node.child_count > 0
    if size == "block":
        return node.type in BLOCKS
    parent = node.parent
    return parent is not None and (parent.parent is None or parent.type in BLOCKS)


def _lines(text: str, start: int, end: int) -> Span:
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", max(start, end - 1))
    last = len(text) if last < 0 else max(last, end)
    first += len(text[first:last]) - len(text[first:last].lstrip(" \t"))
    return min(first, start), last


def _line_above(text: str, position: int) -> tuple[int, int | None] | None:
    """For a position on a blank line: a place in the closest line above that is not indented further than it.

    Returns: the place, and where what encloses it would begin if it were that line's own: on the same column stands a
    neighbour, not something inside it. None where there is code on the line, or no such line.
    """
    line_start = text.rfind("\n", 0, position) + 1
    line_end = text.find("\n", position)
    if text[line_start : len(text) if line_end < 0 else line_end].strip():
        return None
    column, end = position - line_start, line_start - 1
    while end > 0:
        start = text.rfind("\n", 0, end) + 1
        line = text[start:end]
        indentation = len(line) - len(line.lstrip())
        if line.strip() and indentation <= column:
            first = start + indentation
            return (first, first) if indentation == column else (start + len(line.rstrip()) - 1, None)
        end = start - 1
    return None


def _ancestors(node: tree_sitter.Node | None) -> Iterator[tree_sitter.Node]:
    while node is not None:
        yield node
        node = node.parent


def _scope(tree: SyntaxTree, node: tree_sitter.Node) -> Scope | None:
    if not node.is_named:
        return None
    body = node.child_by_field_name("body")
    parent = node.parent
    if node.type in BLOCKS:
        if parent is not None and parent.type in FUNCTIONS | CLASSES:
            return None
        return Scope("block", None, *tree.span(node), tree.span(node))
    kind = "function" if node.type in FUNCTIONS else "class" if node.type in CLASSES else None
    if kind is None or (body is None and node.type != "type_spec"):
        return None
    return Scope(kind, declared_name(tree, node), *tree.span(node), tree.span(body or node))


def declared_name(tree: SyntaxTree, node: tree_sitter.Node) -> str | None:
    """The declared name; in C and C++ it is inside one declarator or several."""
    name = node.child_by_field_name("type" if node.type == "impl_item" else "name")
    declarator = node.child_by_field_name("declarator")
    while name is None and declarator is not None:
        inner = declarator.child_by_field_name("declarator")
        if inner is None:
            # Java's has its value behind its name.
            name = declarator.child_by_field_name("name") if declarator.type == "variable_declarator" else declarator
        declarator = inner
    parent = node.parent
    if name is None and parent is not None and parent.type in ("variable_declarator", "public_field_definition"):
        name = parent.child_by_field_name("name")
    return None if name is None else tree.text_of(name)
