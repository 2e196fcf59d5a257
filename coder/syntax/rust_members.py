"""Fields and methods of Rust's structs, where one file tells whose they are: behind `self` in an `impl` of the struct,
in its literals and patterns, and behind its own name. For `coder.syntax.bindings`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import tree_sitter

from coder.syntax.tree import SyntaxTree

Node = tree_sitter.Node

Member = tuple[str, Literal["field", "method"]]
"""The struct's name, and which of the two the name is there: a struct may have both."""

SHORTHAND = "{new}: {old}"
"""`P { x }` is a field and a variable of one name: a renamed field leaves the variable its own."""


@dataclass(frozen=True)
class MemberPlace:
    """A place of a member's name; `shape` is that of the text that a rename leaves there."""

    node: Node
    member: Member
    declares: bool = False
    shape: str = "{new}"


def members_in_rust(tree: SyntaxTree, name: str) -> list[MemberPlace]:
    """Return the places of a name that stand for a member which a struct of this file declares, all of them sure."""
    structs = [(tree.text_of(named), node) for node in tree.nodes() if (named := _name_of_struct(node)) is not None]
    counts = Counter(of for of, _ in structs)
    known = {of: node for of, node in structs if counts[of] == 1}
    found = [place for node in tree.nodes() for place in _places(tree, node, name, known)]
    declared = {place.member for place in found if place.declares}
    return [place for place in found if place.member in declared]


def _places(tree: SyntaxTree, node: Node, name: str, known: dict[str, Node]) -> Iterator[MemberPlace]:
    if node.child_count or tree.text_of(node) != name or (parent := node.parent) is None:
        return
    if node.type == "identifier":
        yield from _methods_and_macros(tree, node, parent, known)
    is_shorthand = parent.type == "shorthand_field_initializer" or node.type == "shorthand_field_identifier"
    of = _struct_of(tree, parent, known) if is_shorthand or node.type == "field_identifier" else None
    if of is None:
        return
    if parent.type == "field_declaration":
        yield MemberPlace(node, (of, "field"), declares=True)
    elif parent.type == "field_expression":
        call = parent.parent
        is_called = (
            call is not None and call.type == "call_expression" and call.child_by_field_name("function") == parent
        )
        yield MemberPlace(node, (of, "method" if is_called else "field"))
    else:
        yield MemberPlace(node, (of, "field"), shape=SHORTHAND if is_shorthand else "{new}")


def _struct_of(tree: SyntaxTree, parent: Node, known: dict[str, Node]) -> str | None:
    """Return the struct whose field a name below `parent` is; None where that is not sure."""
    match parent.type:
        case "field_declaration":
            named = _name(_above(parent, "struct_item"))
            of = None if named is None else tree.text_of(named)
            return of if of in known and parent.parent is not None and parent.parent.parent == known[of] else None
        case "field_expression":
            value = parent.child_by_field_name("value")
            return _own_struct(tree, parent, known) if value is not None and value.type == "self" else None
        case "field_initializer" | "shorthand_field_initializer":
            return _named_struct(tree, _above(parent, "struct_expression"), "name", known)
        case "field_pattern":
            return _named_struct(tree, _above(parent, "struct_pattern"), "type", known)
    return None


def _methods_and_macros(tree: SyntaxTree, node: Node, parent: Node, known: dict[str, Node]) -> Iterator[MemberPlace]:
    own = _own_struct(tree, node, known)
    around = parent.parent
    if parent.type == "function_item" and _name(parent) == node and around is not None and around.parent is not None:
        impl = around.parent
        if impl.type == "impl_item" and impl.child_by_field_name("trait") is None and own is not None:
            yield MemberPlace(node, (own, "method"), declares=True)
    elif parent.type == "scoped_identifier" and parent.child_by_field_name("name") == node:
        path = parent.child_by_field_name("path")
        of = None if path is None else tree.text_of(path)
        of = own if of == "Self" else of
        if of in known:
            yield MemberPlace(node, (of, "method"))
    elif parent.type == "token_tree" and own is not None:  # the arguments of a macro are tokens
        dot, behind = node.prev_sibling, node.next_sibling
        before = dot.prev_sibling if dot is not None and tree.text_of(dot) == "." else None
        if before is not None and before.type == "self":
            is_called = behind is not None and behind.type == "token_tree" and tree.text_of(behind).startswith("(")
            yield MemberPlace(node, (own, "method" if is_called else "field"))


def _own_struct(tree: SyntaxTree, node: Node, known: dict[str, Node]) -> str | None:
    """Return the struct of the `impl` around a node, if it stands beside the struct itself."""
    impl = _above(node, "impl_item")
    kind = None if impl is None else impl.child_by_field_name("type")
    kind = kind.child_by_field_name("type") if kind is not None and kind.type == "generic_type" else kind
    of = None if kind is None else tree.text_of(kind)
    return of if impl is not None and of in known and known[of].parent == impl.parent else None


def _named_struct(tree: SyntaxTree, node: Node | None, part: str, known: dict[str, Node]) -> str | None:
    named = None if node is None else node.child_by_field_name(part)
    of = None if named is None else tree.text_of(named)
    return _own_struct(tree, node, known) if of == "Self" and node is not None else of if of in known else None


def _name_of_struct(node: Node) -> Node | None:
    return _name(node) if node.type == "struct_item" else None


def _name(node: Node | None) -> Node | None:
    return None if node is None else node.child_by_field_name("name")


def _above(node: Node, kind: str) -> Node | None:
    """Return the closest node of a kind around this one."""
    above = node.parent
    while above is not None and above.type != kind:
        above = above.parent
    return above
