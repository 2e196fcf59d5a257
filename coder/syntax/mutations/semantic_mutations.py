"""Damage to Python that still parses and means something else: the slips of somebody who thinks of something else."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

import tree_sitter

from coder.syntax.tree import SyntaxTree

Replacement = tuple[int, int, str]
"""The characters from the first to the second position give way to the text."""

OPERATORS = {
    "+": "-*",
    "-": "+*",
    "*": "+",
    "/": ("//", "*"),
    "//": ("/", "%"),
    "%": ("//", "+"),
    "**": "*",
    "<<": (">>",),
    ">>": ("<<",),
    "&": "|",
    "|": "&",
    "+=": ("-=", "="),
    "-=": ("+=", "="),
    "*=": ("+=",),
}
COMPARISONS = {
    "<": ("<=", ">"),
    "<=": ("<", ">="),
    ">": (">=", "<"),
    ">=": (">", "<="),
    "==": ("!=",),
    "!=": ("==",),
    "in": ("not in",),
    "not in": ("in",),
    "is": ("is not",),
    "is not": ("is",),
}
METHODS = {
    "append": "extend",
    "extend": "append",
    "endswith": "startswith",
    "startswith": "endswith",
    "find": "index",
    "items": "keys",
    "keys": "values",
    "lower": "upper",
    "lstrip": "rstrip",
    "rstrip": "lstrip",
    "split": "strip",
    "strip": "split",
    "union": "intersection",
    "upper": "lower",
    "values": "keys",
}
LITERALS = {"True": "False", "False": "True", "None": "True"}
SIMPLE_STATEMENTS = frozenset(
    "assert_statement delete_statement expression_statement raise_statement return_statement".split()
)

READERS = frozenset(
    "argument_list assignment augmented_assignment await binary_operator boolean_operator call comparison_operator "
    "conditional_expression dictionary expression_list for_in_clause for_statement generator_expression if_clause "
    "if_statement interpolation list list_comprehension not_operator pair parenthesized_expression return_statement "
    "set slice subscript tuple unary_operator while_statement".split()
)
"""Nodes that read the names directly in them, unless these are what is assigned to."""


def wrong_operator(tree: SyntaxTree, start: int, end: int, _: random.Random) -> Iterator[Replacement]:
    """An arithmetic or bitwise operator is another one: `+` for `-`, `//` for `/`, `-=` for `+=`."""
    for node in tree.nodes(start, end):
        if node.type in ("binary_operator", "augmented_assignment"):
            operator = node.child_by_field_name("operator")
            if operator is not None:
                yield from (_replaced(tree, operator, other) for other in OPERATORS.get(operator.type, ()))


def wrong_comparison(tree: SyntaxTree, start: int, end: int, _: random.Random) -> Iterator[Replacement]:
    """A comparison is its opposite, or includes the bound where it should not: `<` for `<=`, `==` for `!=`."""
    for node in tree.nodes(start, end):
        if node.type == "comparison_operator":
            for operator in node.children_by_field_name("operators"):
                yield from (_replaced(tree, operator, other) for other in COMPARISONS.get(operator.type, ()))


def wrong_connective(tree: SyntaxTree, start: int, end: int, _: random.Random) -> Iterator[Replacement]:
    """`and` stands for `or`, or the other way round."""
    for node in tree.nodes(start, end):
        if node.type == "boolean_operator" and (operator := node.child_by_field_name("operator")) is not None:
            yield _replaced(tree, operator, "or" if operator.type == "and" else "and")


def negated_condition(tree: SyntaxTree, start: int, end: int, _: random.Random) -> Iterator[Replacement]:
    """A `not` too many in front of a condition, or one forgotten."""
    for node in tree.nodes(start, end):
        if node.type == "not_operator" and (argument := node.child_by_field_name("argument")) is not None:
            yield (*tree.span(node), tree.text_of(argument))
        elif node.type in ("if_statement", "while_statement", "elif_clause"):
            condition = node.child_by_field_name("condition")
            if condition is not None and condition.type in ("identifier", "call", "attribute"):
                yield _replaced(tree, condition, f"not {tree.text_of(condition)}")


def off_by_one(tree: SyntaxTree, start: int, end: int, _: random.Random) -> Iterator[Replacement]:
    """A whole number is one too large or one too small."""
    for node in tree.nodes(start, end):
        digits = tree.text_of(node) if node.type == "integer" else ""
        if digits.isdecimal():
            yield _replaced(tree, node, str(int(digits) + 1))
            if int(digits) > 0:
                yield _replaced(tree, node, str(int(digits) - 1))


def wrong_literal(tree: SyntaxTree, start: int, end: int, _: random.Random) -> Iterator[Replacement]:
    """`True` stands for `False` or for `None`, or the other way round."""
    for node in tree.nodes(start, end):
        if node.child_count == 0 and (other := LITERALS.get(tree.text_of(node))) is not None:
            yield _replaced(tree, node, other)


def wrong_method(tree: SyntaxTree, start: int, end: int, _: random.Random) -> Iterator[Replacement]:
    """A method of the same kind of object is called that does something else: `append` for `extend`."""
    for node in tree.nodes(start, end):
        function = node.child_by_field_name("function") if node.type == "call" else None
        name = function.child_by_field_name("attribute") if function is not None else None
        if name is not None and (other := METHODS.get(tree.text_of(name))) is not None:
            yield _replaced(tree, name, other)


def swapped_arguments(tree: SyntaxTree, start: int, end: int, _: random.Random) -> Iterator[Replacement]:
    """Two neighbouring arguments of a call have changed places."""
    for node in tree.nodes(start, end):
        if node.type != "argument_list":
            continue
        arguments = [child for child in node.named_children if child.type not in ("keyword_argument", "comment")]
        for first, second in pairwise(arguments):
            (begin, first_end), (second_start, stop) = tree.span(first), tree.span(second)
            between = tree.text[first_end:second_start]
            yield begin, stop, tree.text_of(second) + between + tree.text_of(first)


def wrong_variable(tree: SyntaxTree, start: int, end: int, _: random.Random) -> Iterator[Replacement]:
    """A variable of the same function is used in the place of another."""
    for function in tree.nodes(start, end):
        if function.type != "function_definition":
            continue
        names = sorted(_variables(tree, function))
        for node in _variable_uses(tree, function):
            yield from (_replaced(tree, node, name) for name in names if name != tree.text_of(node))


def undefined_name(tree: SyntaxTree, start: int, end: int, generator: random.Random) -> Iterator[Replacement]:
    """A variable is misspelt where it is used, so that no such name exists."""
    names = {tree.text_of(node) for node in tree.nodes() if node.type == "identifier"}
    for function in tree.nodes(start, end):
        if function.type == "function_definition":
            for node in _variable_uses(tree, function):
                misspelt = misspell(tree.text_of(node), generator)
                if misspelt.isidentifier() and misspelt not in names:
                    yield _replaced(tree, node, misspelt)


def dropped_return(tree: SyntaxTree, start: int, end: int, _: random.Random) -> Iterator[Replacement]:
    """A value is computed and not returned: `return` is missing in front of it."""
    for node in tree.nodes(start, end):
        if node.type == "return_statement" and node.named_children:
            yield tree.span(node)[0], tree.span(node.named_children[0])[0], ""


def deleted_line(tree: SyntaxTree, start: int, end: int, _: random.Random) -> Iterator[Replacement]:
    """A line that holds a whole statement is missing."""
    for node in tree.nodes(start, end):
        if node.type in SIMPLE_STATEMENTS and node.parent is not None and len(node.parent.named_children) > 1:
            first, last = tree.span(node)
            line_start = tree.text.rfind("\n", 0, first) + 1
            line_end = tree.text.find("\n", last) + 1
            if tree.text[line_start:first].isspace() and line_end and not _is_docstring(node):
                yield line_start, line_end, ""


def wrong_jump(tree: SyntaxTree, start: int, end: int, _: random.Random) -> Iterator[Replacement]:
    """`continue` stands for `break`, or the other way round."""
    for node in tree.nodes(start, end):
        if node.type in ("break_statement", "continue_statement"):
            yield _replaced(tree, node, "continue" if node.type == "break_statement" else "break")


SEMANTIC = (
    wrong_operator,
    wrong_comparison,
    wrong_connective,
    negated_condition,
    off_by_one,
    wrong_literal,
    wrong_method,
    swapped_arguments,
    wrong_variable,
    undefined_name,
    dropped_return,
    deleted_line,
    wrong_jump,
)


def misspell(word: str, generator: random.Random) -> str:
    """The word with a letter left out, doubled, or exchanged with its neighbour."""
    index = generator.randrange(len(word))
    match generator.choice(("omit", "double", "exchange")):
        case "omit" if len(word) > 2:
            return word[:index] + word[index + 1 :]
        case "exchange" if index + 1 < len(word) and word[index] != word[index + 1]:
            return word[:index] + word[index + 1] + word[index] + word[index + 2 :]
    return word[: index + 1] + word[index:]


def _variable_uses(tree: SyntaxTree, function: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """Yield the places where the body reads a name that the function binds."""
    bound = _variables(tree, function)
    yield from (node for node in _names_in_body(tree, function) if tree.text_of(node) in bound and _is_used(node))


def _variables(tree: SyntaxTree, function: tree_sitter.Node) -> set[str]:
    """The names that the function binds."""
    return _parameters(tree, function) | {
        tree.text_of(node) for node in _names_in_body(tree, function) if _is_bound(node)
    }


def _names_in_body(tree: SyntaxTree, function: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    body = function.child_by_field_name("body")
    if body is not None:
        yield from (node for node in tree.nodes(*tree.span(body)) if node.type == "identifier")


def _parameters(tree: SyntaxTree, function: tree_sitter.Node) -> set[str]:
    parameters = function.child_by_field_name("parameters")
    names: set[str] = set()
    for parameter in parameters.named_children if parameters is not None else ():
        name = parameter.child_by_field_name("name") or next(iter(parameter.named_children), parameter)
        if name.type == "identifier":
            names.add(tree.text_of(name))
    return names


def _is_bound(node: tree_sitter.Node) -> bool:
    """Return whether an assignment or a loop gives the name its value."""
    parent = node.parent
    while parent is not None and parent.type in ("pattern_list", "tuple_pattern"):
        node, parent = parent, parent.parent
    targets = ("assignment", "for_statement", "for_in_clause")
    return parent is not None and parent.type in targets and parent.child_by_field_name("left") == node


def _is_used(node: tree_sitter.Node) -> bool:
    parent = node.parent
    if parent is None or _is_bound(node):
        return False
    if parent.type == "attribute":
        return parent.child_by_field_name("object") == node
    if parent.type == "keyword_argument":
        return parent.child_by_field_name("value") == node
    return parent.type in READERS


def _is_docstring(node: tree_sitter.Node) -> bool:
    return node.type == "expression_statement" and node.named_children[0].type in ("string", "concatenated_string")


def _replaced(tree: SyntaxTree, node: tree_sitter.Node, text: str) -> Replacement:
    return (*tree.span(node), text)
