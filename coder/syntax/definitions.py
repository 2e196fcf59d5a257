"""The definitions of a file in few lines, for somebody who uses it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from coder.syntax.scopes import CLASSES, FUNCTIONS
from coder.syntax.tree import SyntaxTree

SHORT_LINES = 6
"""A definition of so many lines is shown whole."""

MOST_MEMBERS = 24

WRAPPERS = frozenset(
    "declaration_list decorated_definition export_statement linkage_specification namespace_definition preproc_if "
    "preproc_ifdef preproc_else template_declaration type_declaration const_declaration var_declaration".split()
)
"""Around definitions, at the top of a file."""

VALUES = frozenset(
    "const_item const_spec declaration expression_statement lexical_declaration macro_definition preproc_def "
    "preproc_function_def static_item type_alias_declaration type_definition type_item var_spec "
    "variable_declaration".split()
)


@dataclass(frozen=True)
class Definition:
    """`text` says what the name stands for; bodies are left out of longer ones."""

    name: str
    text: str


def definitions(text: str, language: str) -> list[Definition]:
    """The definitions at the top of a file; none without a grammar for the language."""
    tree = SyntaxTree.of(text, language)
    return list(_definitions(tree, tree.root)) if tree else []


def _definitions(tree: SyntaxTree, parent: Node) -> Iterator[Definition]:
    for node in parent.named_children:
        if node.type in WRAPPERS:
            yield from _definitions(tree, node.child_by_field_name("body") or node)
        elif node.type in FUNCTIONS | CLASSES | VALUES and (name := _name(tree, node)):
            yield Definition(name, _shown(tree, node))


def _name(tree: SyntaxTree, node: Node) -> str | None:
    """The declared name, inside however many declarators."""
    found: Node | None = node
    while found is not None and "identifier" not in found.type:
        inner = (found.child_by_field_name(field) for field in ("name", "declarator", "left", "type"))
        first = found.named_children[0] if found.named_children and found.type in VALUES else None
        found = next((child for child in inner if child is not None), None) or first
    return None if found is None else tree.text_of(found)


def _shown(tree: SyntaxTree, node: Node) -> str:
    start, end = tree.span(node)
    whole = _from_line_start(tree.text, start, end)
    if whole.count("\n") < SHORT_LINES:
        return whole
    body = node.child_by_field_name("body")
    if body is None:
        return _head(whole)
    head = _from_line_start(tree.text, start, tree.span(body)[0]).rstrip()
    if node.type not in CLASSES:
        return f"{head} ..."
    members = [_member(tree, member) for member in body.named_children[:MOST_MEMBERS]]
    opening = "{" if tree.text[tree.span(body)[0]] == "{" else ""
    return "\n".join([f"{head} {opening}".rstrip(), *filter(None, members), *("}" * bool(opening))])


def _member(tree: SyntaxTree, node: Node) -> str:
    """A line for a field or a method of a class."""
    inner = node.child_by_field_name("definition") or node
    body = inner.child_by_field_name("body")
    start, end = tree.span(node)
    if body is not None:
        return _from_line_start(tree.text, start, tree.span(body)[0]).rstrip() + " ..."
    return _head(_from_line_start(tree.text, start, end))


def _head(text: str) -> str:
    first, line_break, _ = text.partition("\n")
    return f"{first} ..." if line_break else first


def _from_line_start(text: str, start: int, end: int) -> str:
    """The text with what is before it on its first line: indentation, decorators' own lines not."""
    return text[text.rfind("\n", 0, start) + 1 : end]
