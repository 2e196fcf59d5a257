"""Names of Rust: which of them a file resolves, and from where on they are known. For `coder.syntax.bindings`."""

from __future__ import annotations

import re

import tree_sitter

from coder.syntax.tree import SyntaxTree

Node = tree_sitter.Node

USES = ("use_declaration", "use_list", "scoped_use_list")
BINDING_TOKENS = ("let", "|", "mut", "for", "fn", "ref", "$")
"""Behind these, in the arguments of a macro, a name may be declared."""


def is_unsure_in_rust(tree: SyntaxTree, name: str) -> bool:
    """Return whether a name stands where nothing is known of it: declared in the arguments of a macro, in the rules of
    one, or in a text that is formatted, as in `println!("{name}")`."""
    formatted = re.compile(rf"(?<!\{{)\{{{re.escape(name)}[}}:]")
    for node in tree.nodes():
        if node.type == "macro_definition" and re.search(rf"\b{re.escape(name)}\b", tree.text_of(node)):
            return True
        if node.type == "string_content" and formatted.search(tree.text_of(node)) and _is_in_macro(node):
            return True
        if node.type == "identifier" and tree.text_of(node) == name and _is_in_macro(node):
            before = node.prev_sibling
            if before is not None and before.type in BINDING_TOKENS:
                return True
    return False


def is_resolved_in_rust(node: Node, parent: Node, part: str | None) -> bool:
    """Return whether a name stands for something by itself: no member, no variant, no method, no part of a path but its
    first one, or the last one where it is imported."""
    kind, around = parent.type, parent.parent
    if kind in ("scoped_identifier", "scoped_type_identifier") and part == "name":
        return around is not None and around.type in USES
    if kind == "use_as_clause":
        return part == "alias"
    if kind in ("function_item", "function_signature_item") and part == "name":
        owner = around.parent if around is not None and around.type == "declaration_list" else None
        return owner is None or owner.type == "mod_item"
    if kind == "token_tree":
        before, behind = node.prev_sibling, node.next_sibling
        member = before is not None and before.type in (".", "::")
        return not member and (behind is None or behind.type not in ("!", ":"))
    return (kind, part) not in (
        ("enum_variant", "name"),
        ("macro_invocation", "macro"),
        ("type_binding", "name"),
        ("associated_type", "name"),
    )


def known_since_in_rust(node: Node, part: str | None) -> int | None:
    """Return the byte from which on the names of a pattern are known in their scope; None where it declares none."""
    if part == "pattern" and node.type in ("let_declaration", "let_condition"):
        return node.end_byte
    if part == "pattern" and node.type == "for_expression":
        body = node.child_by_field_name("body")
        return body.start_byte if body is not None else node.end_byte
    if node.type == "scoped_identifier" and part == "name" and node.parent is not None and node.parent.type in USES:
        return 0
    return None


def _is_in_macro(node: Node) -> bool:
    above = node.parent
    while above is not None and above.type in ("token_tree", "string_literal", "raw_string_literal"):
        if above.type == "token_tree":
            return True
        above = above.parent
    return False
