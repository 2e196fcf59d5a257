"""Functions, classes and blocks: their node types in the supported grammars, and the functions of a text."""

from __future__ import annotations

from dataclasses import dataclass

import tree_sitter

from coder.syntax.tree import Span, SyntaxTree

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
    """A function of a text.

    Attributes:
        start, end: the whole of it, its head included. body: what is inside, brackets included where there are some.
    """

    name: str
    start: int
    end: int
    body: Span


def functions(text: str, language: str) -> list[Scope] | None:
    """Return every function of a text that has a name, in order; None when no grammar for the language is installed."""
    tree = SyntaxTree.of(text, language)
    if tree is None:
        return None
    found = []
    for node in tree.nodes():
        body = node.child_by_field_name("body")
        if node.type in FUNCTIONS and body is not None and (name := declared_name(tree, node)) is not None:
            found.append(Scope(name, *tree.span(node), tree.span(body)))
    return found


def declared_name(tree: SyntaxTree, node: tree_sitter.Node) -> str | None:
    """Return the declared name; in C and C++ it is inside one declarator or several."""
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
