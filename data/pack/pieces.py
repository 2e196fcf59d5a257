"""The functions, blocks, expressions and argument lists of a text, found in one walk over its tree."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import tree_sitter

from coder.syntax.scopes import BLOCKS, CLASSES, FUNCTIONS
from coder.syntax.tree import Span, SyntaxTree

ARGUMENTS = frozenset("argument_list arguments formal_parameters parameter_list parameters".split())
NO_EXPRESSION = frozenset(
    "block_comment comment concatenated_string decorator dotted_name else_clause elif_clause except_clause "
    "expression_list finally_clause line_comment module program source_file string string_literal translation_unit "
    "type with_clause".split()
)
LONGEST_EXPRESSION = 400
COMMENTS = ("//", "# ")


@dataclass(frozen=True)
class Function:
    """A function with a block for a body.

    Attributes:
        start, end: from its first line's indentation on, decorators included, to its last character.
        body: what is to be written once the signature and the docstring are there, from its first line's first
            character that is no blank. documented: whether there is a docstring, or a comment right above.
    """

    start: int
    end: int
    body: Span
    documented: bool


@dataclass(frozen=True)
class Name:
    """An identifier, wherever it stands."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class SourcePieces:
    """In the order of the text. Of brackets, only what is inside counts."""

    functions: tuple[Function, ...] = ()
    blocks: tuple[Span, ...] = ()
    expressions: tuple[Span, ...] = ()
    arguments: tuple[Span, ...] = ()
    names: tuple[Name, ...] = ()


@lru_cache(maxsize=4)  # many examples are made of one file, then of the next
def pieces_of(text: str, language: str) -> SourcePieces:
    """Nothing without a grammar for the language."""
    tree = SyntaxTree.of(text, language)
    if tree is None:
        return SourcePieces()
    nodes = [node for node in tree.nodes() if node.is_named]
    functions = (_function(tree, node) for node in nodes if node.type in FUNCTIONS)
    return SourcePieces(
        tuple(function for function in functions if function is not None),
        tuple(span for node in nodes if node.type in BLOCKS and (span := _inside(tree, node))[0] < span[1]),
        tuple(tree.span(node) for node in nodes if _is_expression(node)),
        tuple(span for node in nodes if node.type in ARGUMENTS and (span := _inside(tree, node))[0] < span[1]),
        tuple(Name(tree.text_of(node), *tree.span(node)) for node in nodes if node.type == "identifier"),
    )


def _function(tree: SyntaxTree, node: tree_sitter.Node) -> Function | None:
    """None for an expression, and where nothing is written behind the docstring."""
    body = node.child_by_field_name("body")
    if body is None or body.type not in BLOCKS:
        return None
    first, last = _inside(tree, body)
    has_docstring = bool(body.named_children) and _is_docstring(body.named_children[0])
    if has_docstring:
        if len(body.named_children) == 1:
            return None
        first = tree.span(body.named_children[1])[0]
    whole = node
    if node.parent is not None and node.parent.type == "decorated_definition":
        whole = node.parent
    start, end = tree.span(whole)[0], tree.span(node)[1]
    line_start = tree.text.rfind("\n", 0, start) + 1
    if not tree.text[line_start:start].strip():
        start = line_start
    above = tree.text[:start].rstrip(" \t").removesuffix("\n").rpartition("\n")[2].strip()
    documented = has_docstring or above.startswith(COMMENTS) or above.endswith("*/")
    return Function(start, end, (first, last), documented) if start < first < last else None


def _inside(tree: SyntaxTree, node: tree_sitter.Node) -> Span:
    """A node without the brackets and blanks around what is in it."""
    start, end = tree.span(node)
    if tree.text[start : start + 1] in ("(", "{", "[") and tree.text[end - 1 : end] in (")", "}", "]"):
        start, end = start + 1, end - 1
    inside = tree.text[start:end]
    return start + len(inside) - len(inside.lstrip()), end - len(inside) + len(inside.rstrip())


def _is_docstring(node: tree_sitter.Node) -> bool:
    children = node.named_children
    return node.type == "expression_statement" and bool(children) and children[0].type == "string"


def _is_expression(node: tree_sitter.Node) -> bool:
    """Return whether it is a value made of several tokens."""
    if node.child_count < 2 or node.parent is None or node.type in NO_EXPRESSION | ARGUMENTS:
        return False
    if node.type in BLOCKS | FUNCTIONS | CLASSES or node.end_byte - node.start_byte > LONGEST_EXPRESSION:
        return False
    return not node.type.endswith(("_statement", "_definition", "_declaration", "_clause", "assignment", "parameter"))
