"""The reach of a name's declaration, as far as the syntax of one file tells."""

from __future__ import annotations

from dataclasses import dataclass

import tree_sitter

from coder.syntax.scopes import CLASSES, FUNCTIONS
from coder.syntax.tree import Span
from lsp.edit.next.words import Words

PARAMETERS = frozenset("parameters formal_parameters parameter_list closure_parameters lambda_parameters".split())

ARGUMENTS = frozenset(["argument_list", "arguments"])

CALLS = frozenset(["call", "call_expression", "method_invocation"])


@dataclass(frozen=True)
class Declaration:
    """A name that is declared.

    Attributes:
        scope: the characters in which it is known by itself; None where that is the file.
        function: whose parameter it is.
    """

    scope: Span | None = None
    function: str | None = None


def declaration_at(words: Words, index: int) -> Declaration | None:
    """The declaration that a word is the name in; None for a name that is only used."""
    node = words.node(index)
    if node is None or words.tree is None or node.parent is None:
        return None
    owner = node.parent
    if owner.type in FUNCTIONS | CLASSES and owner.child_by_field_name("name") == node:
        return Declaration()
    parameters = _ancestor(node, PARAMETERS)
    if parameters is not None and parameters.parent is not None and not _is_default(node):
        function = parameters.parent
        name = function.child_by_field_name("name")
        return Declaration(words.tree.span(function), words.tree.text_of(name) if name is not None else "")
    if any(owner.child_by_field_name(field) == node for field in ("left", "pattern", "declarator")):
        function = _ancestor(node, FUNCTIONS)
        return Declaration(words.tree.span(function) if function is not None else None)
    return None


def callee(words: Words, index: int) -> str | None:
    """The function that is called where a word stands among the arguments, in the words of the call."""
    arguments = _ancestor(words.node(index), ARGUMENTS)
    return None if arguments is None else called_with(words, arguments)


def called_with(words: Words, arguments: tree_sitter.Node) -> str | None:
    call = arguments.parent
    function = None
    if call is not None and call.type in CALLS:
        function = call.child_by_field_name("function") or call.child_by_field_name("name")
    return None if function is None or words.tree is None else words.tree.text_of(function)


def _ancestor(node: tree_sitter.Node | None, kinds: frozenset[str]) -> tree_sitter.Node | None:
    """The closest one of these kinds; for parameters and arguments, not past a function's border."""
    while node is not None and node.type not in kinds:
        if node.type in FUNCTIONS and not kinds & FUNCTIONS:
            return None
        node = node.parent
    return node


def _is_default(node: tree_sitter.Node) -> bool:
    """Return whether a name in a parameter list is a default value or a type."""
    while node.parent is not None and node.parent.type not in PARAMETERS:
        parent = node.parent
        if any(parent.child_by_field_name(field) == node for field in ("value", "type", "right")):
            return True
        node = parent
    return False
