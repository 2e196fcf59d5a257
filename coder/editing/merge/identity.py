"""The identity of a piece: the kind of its node, the name that it declares or gives, and its role where several share
a name."""

from __future__ import annotations

import re
from collections.abc import Sequence

import tree_sitter

from coder.editing.merge.pieces import CASES, Piece
from coder.syntax.scopes import CLASSES, FUNCTIONS, declared_name
from coder.syntax.tree import SyntaxTree

WORD = re.compile(r"\w+")
DECLARING = re.compile(
    r".*(?:declaration|declarator|item|signature|pair|definition|_spec|enumerator|variant|_initializer)|keyword_argument|"
    r"keyed_element"
)
LITERALS = ("object", "dictionary", "initializer_list", "literal_value")
"""Nodes whose first entry does not name them."""

PARAMETERS = frozenset(
    "default_parameter formal_parameter optional_parameter parameter parameter_declaration required_parameter "
    "typed_default_parameter typed_parameter".split()
)

ASSIGNMENTS = ("assignment", "assignment_expression")
CONDITIONS = frozenset("preproc_if preproc_ifdef preproc_elif preproc_elifdef preproc_else".split())
"""Nodes of a conditional compilation: what is in one may be defined in another one too."""

ACCESSOR = re.compile(r"\s*((?:(?:public|private|protected|override|static|async|get|set)\s+)*)")


def identity(tree: SyntaxTree, node: tree_sitter.Node) -> tuple[str, str | None, str]:
    """Kind, name and role: those of the definition that begins on the first line, or behind a template's, if one
    does."""
    kind, name, role = _of_first_line(tree, node)
    return kind, name, role or (_condition(tree, node) if name is not None else "")


def _condition(tree: SyntaxTree, node: tree_sitter.Node) -> str:
    """The line of the preprocessor that a node stands directly below."""
    above = node.parent
    return _line_of(tree, above) if above is not None and above.type in CONDITIONS else ""


def _of_first_line(tree: SyntaxTree, node: tree_sitter.Node) -> tuple[str, str | None, str]:
    row, inner, name = node.start_point.row, node, None
    if node.type in CASES:
        line = _line_of(tree, node)
        return node.type, line if line.startswith("default") else tree.text_of(node.named_children[0]), ""
    while inner is not None and inner.start_point.row == row and inner.type not in LITERALS:
        if inner.type in FUNCTIONS or inner.type in CLASSES:
            own = _qualified(tree, inner) or name or _given_name(tree, inner) or _called(tree, node)
            return inner.type, own, _accessor(_line_of(tree, inner)) if own else ""
        name = name or _given_name(tree, inner)
        if inner.type == "template_declaration":
            inner = inner.named_children[-1]
            row = inner.start_point.row
            continue
        inner = next((child for child in reversed(inner.named_children) if _may_define(child, row)), None)
    if name is not None:
        is_overload = "function_signature" in (node.type, node.named_children[-1].type if node.named_children else "")
        return node.type, name, "overload" if is_overload else ""
    return node.type if node.is_named else repr(node.type), None, ""


def _qualified(tree: SyntaxTree, node: tree_sitter.Node) -> str | None:
    """A definition's name, with the type whose method it is, or the trait that is implemented."""
    name = declared_name(tree, node)
    of = node.child_by_field_name("receiver" if node.type == "method_declaration" else "trait")
    if name is None or of is None:
        return name
    return f"{WORD.findall(tree.text_of(of))[-1:]} {name}" if node.type != "impl_item" else _line_of(tree, node)


def _called(tree: SyntaxTree, node: tree_sitter.Node) -> str | None:
    """The beginning of a call that is given a function: what is called and its first argument, if that is a
    string, as in `it("adds", () => {`."""
    line = _line_of(tree, node)
    found = re.match(r"""[^"'`]*["'`]([^"'`]*)["'`]\s*,""", line)
    return found.group() if found else None


def _line_of(tree: SyntaxTree, node: tree_sitter.Node) -> str:
    return tree.text_of(node).split("\n")[0].strip()


def _given_name(tree: SyntaxTree, node: tree_sitter.Node) -> str | None:
    """The name that a declaration, an assignment or an entry of a table gives."""
    if node.type in ASSIGNMENTS:
        target = node.child_by_field_name("left")
    elif DECLARING.fullmatch(node.type):
        target = next(
            (node.child_by_field_name(field) for field in ("key", "left", "field") if _has(node, field)), None
        )
        if target is None and node.type == "keyed_element":
            target = node.named_children[0]
        if target is None:
            return declared_name(tree, node)
    elif node.type in PARAMETERS:
        target = node.child_by_field_name("name") or node.child_by_field_name("pattern")
        if target is None and node.type == "typed_parameter":
            target = node.named_children[0]
        if target is None:
            return declared_name(tree, node)
    else:
        return None
    return None if target is None else tree.text_of(target)


def role_of(piece: Piece, decorators: Sequence[str]) -> str:
    """The role that tells a definition apart from others of its name: `overload`, `register`, or
    the decorator that makes it the setter or deleter of a property of its name. Conditional compilation does so too."""
    for text in decorators:
        called = re.match(r"@?([\w.]+)", text)
        of, _, last = called.group(1).rpartition(".") if called else ("", "", "")
        if last in ("overload", "register"):
            return last
        if of and of == piece.name:
            return last
        if "cfg(" in text:
            return text
    return piece.role


def _accessor(line: str) -> str:
    """`get`, `set` and `static` before a method's name, by which two of one name differ."""
    found = ACCESSOR.match(line)
    words = found.group(1).split() if found else []
    return " ".join(word for word in words if word in ("get", "set", "static"))


def _has(node: tree_sitter.Node, field: str) -> bool:
    return node.child_by_field_name(field) is not None


def _may_define(node: tree_sitter.Node, row: int) -> bool:
    return last_row(node) > row or node.type in ASSIGNMENTS or DECLARING.fullmatch(node.type) is not None


def last_row(node: tree_sitter.Node) -> int:
    """A node that ends with its line feed ends on that line."""
    end = node.end_point
    return end.row - (end.column == 0 and end.row > node.start_point.row)
