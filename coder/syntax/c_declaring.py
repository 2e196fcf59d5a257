"""Tables of the grammars of C and C++, and what declarators say: for `coder.syntax.c_names` and `c_members`."""

from __future__ import annotations

from typing import Literal

import tree_sitter

from coder.syntax.tree import SyntaxTree

Node = tree_sitter.Node

CKind = Literal["module", "namespace", "class", "function", "template", "block"]
"""Of a scope."""

BLOCKS: dict[str, CKind] = {
    **dict.fromkeys(("function_definition", "lambda_expression", "requires_expression"), "function"),
    **dict.fromkeys("compound_statement for_statement for_range_loop if_statement while_statement switch_statement "
    "catch_clause".split(), "block"),
    **dict.fromkeys(("template_declaration", "template_template_parameter_declaration"), "template"),
}  # fmt: skip
"""Nodes that open a scope; classes, namespaces and the heads of functions do too."""

CLASSES = ("class_specifier", "struct_specifier", "union_specifier", "enum_specifier")

DECLARATIONS = frozenset(
    "declaration field_declaration parameter_declaration optional_parameter_declaration type_definition "
    "variadic_parameter_declaration function_definition for_range_loop".split()
)
"""Nodes whose declarators declare names."""

DECLARATORS = frozenset(
    "init_declarator pointer_declarator reference_declarator array_declarator function_declarator variadic_declarator "
    "parenthesized_declarator structured_binding_declarator attributed_declarator pointer_type_declarator".split()
)
"""Nodes around the name that is declared."""

NAMED = frozenset(
    [*CLASSES, "enumerator", "alias_declaration", "namespace_alias_definition", "concept_definition",
     "namespace_definition", "optional_type_parameter_declaration"]
)  # fmt: skip
"""Nodes that declare their `name`."""

NAMES = frozenset(["identifier", "field_identifier", "type_identifier", "namespace_identifier"])

PARTS_OF_NAMES = ("template_function", "template_method", "template_type", "dependent_name", "destructor_name")
"""Nodes between a name and what it is looked up in."""

ATTRIBUTES = frozenset(
    "attribute_declaration attribute_specifier ms_declspec_modifier preproc_params comment string_literal "
    "goto_statement".split()
)
"""Nodes in which nothing is a name of the file."""

MACROS = frozenset(["preproc_def", "preproc_function_def", "preproc_ifdef", "preproc_call", "preproc_defined"])


def innermost_declarator(definition: Node) -> Node | None:
    """The name that a definition declares, with what qualifies it."""
    node = definition.child_by_field_name("declarator")
    while node is not None and node.type in DECLARATORS:
        inner = node.child_by_field_name("declarator")
        node = inner if inner is not None else next(iter(node.named_children), None)
    return node


def is_own_declarator(node: Node) -> bool:
    """Return whether a declarator of a function is that of a definition, whose body sees its parameters."""
    above = node.parent
    while above is not None and above.type in DECLARATORS:
        above = above.parent
    return above is not None and above.type in ("function_definition", "lambda_expression")


def is_scoped(enumerator: Node) -> bool:
    """Return whether a constant belongs to an `enum class`."""
    of = enumerator.parent and enumerator.parent.parent
    return of is not None and any(child.type in ("class", "struct") for child in of.children)


def last_name(node: Node) -> Node:
    """The last name of a qualified one, without the arguments of a template."""
    while (inner := node.child_by_field_name("name")) is not None:
        node = inner
    return node


def signature(tree: SyntaxTree, function: Node) -> str:
    """The types of a function's parameters: overloads differ in them, and a declaration has those of its definition."""
    parameters = function.child_by_field_name("parameters")
    given = [] if parameters is None else [each for each in parameters.named_children if each.type != "comment"]
    written = [kind for each in given if (kind := _type_of_parameter(tree, each)) != "void"]
    qualifiers = [tree.text_of(each) for each in function.children if each.type in ("type_qualifier", "ref_qualifier")]
    return ", ".join(written) + " ".join(["", *qualifiers])


def _type_of_parameter(tree: SyntaxTree, parameter: Node) -> str:
    kind, declarator = parameter.child_by_field_name("type"), parameter.child_by_field_name("declarator")
    around = ""
    while declarator is not None and (declarator.type in DECLARATORS or declarator.type.startswith("abstract_")):
        around += "*" if "pointer" in declarator.type or "array" in declarator.type else ""
        around += "".join(child.type for child in declarator.children if child.type in ("&", "&&"))
        inner = declarator.child_by_field_name("declarator")
        declarator = inner if inner is not None else next(iter(declarator.named_children), None)
    return ("" if kind is None else "".join(tree.text_of(kind).split())) + around
