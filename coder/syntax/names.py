"""Names that are used and defined nowhere: what a compiler would not accept, as far as one file can tell.

Python's rules are followed exactly (`coder.syntax.python_names`). What a name means in the other languages depends on
files that are not at hand; there only what looks like a slip is reported: a name that stands in the file once, as a
value, is declared nowhere in it, and differs by one letter from one that is.
"""

from __future__ import annotations

from collections import Counter

import tree_sitter

from coder.syntax import python_names
from coder.syntax.slips import misspelt
from coder.syntax.tree import Span, SyntaxTree

DECLARING_FIELDS = ("name", "declarator", "pattern", "left", "parameter", "alias", "label", "parameters")
NOT_VALUES = frozenset(
    "aliased_import decorator enum_variant export_specifier field_access field_expression import_clause "
    "import_specifier labeled_statement macro_invocation namespace_import package_clause package_declaration "
    "package_identifier scoped_identifier selector_expression "
    "scoped_use_list use_as_clause use_declaration use_list import_declaration import_spec qualified_identifier "
    "annotation marker_annotation attribute_item keyed_element literal_element field_initializer".split()
)
"""Places where an identifier names no variable or function of its own."""


def undefined_names(text: str, language: str) -> list[tuple[str, Span]] | None:
    """Names that are used and defined nowhere, in order, each with the place where it is used.

    Returns: None where no claim can be made: no grammar for the language is installed, or (Python) names come from a
    star import or are made at run time.
    """
    tree = SyntaxTree.of(text, language)
    if tree is None:
        return None
    return python_names.undefined_names(tree) if language == "python" else _misspelt_names(tree)


def _misspelt_names(tree: SyntaxTree) -> list[tuple[str, Span]]:
    nodes = [node for node in tree.nodes() if node.child_count == 0 and "identifier" in node.type]
    occurrences = Counter(map(tree.text_of, nodes))
    declared = {tree.text_of(node) for node in nodes if _is_declared(node)}
    # Used often enough to be meant.
    familiar = {name for name in declared if occurrences[name] > 1}
    found = [
        (name, tree.span(node))
        for node in nodes
        if node.type == "identifier"
        and occurrences[name := tree.text_of(node)] == 1
        and _is_value(node)
        and name not in declared
    ]
    slips = misspelt((name for name, _ in found), familiar)
    return [(name, span) for name, span in found if name in slips]


def _is_declared(node: tree_sitter.Node) -> bool:
    """Return whether the name stands where its language declares one: a declarator, a parameter, an import, a
    pattern."""
    parent = node.parent
    while parent is not None:
        if parent.type.endswith(("_pattern", "parameter_declaration", "import_specifier", "import_clause")):
            return True
        if any(parent.child_by_field_name(name) == node for name in DECLARING_FIELDS):
            return True
        if not parent.type.endswith(("declarator", "pattern", "expression_list", "parameters", "identifier_list")):
            return False
        node, parent = parent, parent.parent
    return False


def _is_value(node: tree_sitter.Node) -> bool:
    parent = node.parent
    if parent is None or parent.has_error or parent.type.startswith("preproc"):
        return False
    return parent.type not in NOT_VALUES
