"""The calls of a function of which a parameter was added or removed, where it is sure what they become.

For Python. A removed parameter takes its argument along. An added one that has no default is passed on under its own
name, where that is the name of something in the function that calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import tree_sitter

from coder.api.text_requests import Change
from coder.syntax.tree import SyntaxTree
from lsp.edit.next.signatures import SignatureChange, name_of

Node = tree_sitter.Node

IsCalled = Callable[[Node], bool]
"""A test whether the function of a call is the one that was changed."""

BINDING = frozenset(
    ["parameters", "typed_parameter", "default_parameter", "typed_default_parameter", "lambda_parameters"]
)


def adapted_calls(tree: SyntaxTree, change: SignatureChange, is_called: IsCalled) -> Iterator[Change]:
    """Yield the edits that adapt each call, as far as they are certain."""
    for node in tree.nodes():
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if node.type != "call" or function is None or arguments is None or not is_called(function):
            continue
        if arguments.type != "argument_list" or any("splat" in child.type for child in arguments.named_children):
            continue
        given = [child for child in arguments.named_children if child.type != "comment"]
        adapted = _with_argument(tree, change, node, given) if change.added else _without(tree, change, given)
        if adapted is not None:
            yield adapted


def is_call_of(tree: SyntaxTree, change: SignatureChange) -> IsCalled:
    """In the file of the function itself: by its name, if nothing else there has it."""
    definitions = [node for node in tree.nodes() if node.type in ("function_definition", "class_definition")]
    alone = sum(name_of(tree, node) == change.function for node in definitions) == 1

    def is_called(function: Node) -> bool:
        if change.owner is not None:
            name, of = function.child_by_field_name("attribute"), function.child_by_field_name("object")
            if not alone or name is None or of is None or tree.text_of(name) != change.function:
                return False
            return tree.text_of(of) != change.owner and not tree.text_of(of).startswith("super(")
        return alone and function.type == "identifier" and tree.text_of(function) == change.function

    return is_called


def _without(tree: SyntaxTree, change: SignatureChange, given: list[Node]) -> Change | None:
    """A call without the argument of the parameter that is gone: given by name, or by position where there are more
    than there are places left."""
    name = change.parameter.name
    index = next((index for index, node in enumerate(given) if _keyword(tree, node) == name), None)
    if index is None:
        positional = [node for node in given if _keyword(tree, node) is None]
        places = change.old.by_position
        too_many = len(positional) > len(change.new.by_position) and not change.old.any_number
        if not too_many or name not in places or places.index(name) >= len(positional):
            return None
        index = places.index(name)
    start, end = tree.span(given[index])
    if index + 1 < len(given):
        end = tree.span(given[index + 1])[0]
    elif index:
        start = tree.span(given[index - 1])[1]
    return Change(start, end, "")


def _with_argument(tree: SyntaxTree, change: SignatureChange, call: Node, given: list[Node]) -> Change | None:
    """A call with the new argument, if it passed just what had to be passed, and the name is known there."""
    parameter = change.parameter
    keywords = [keyword for node in given if (keyword := _keyword(tree, node)) is not None]
    required = [each.name for each in change.old.parameters if not each.optional]
    positional = change.old.by_position[: len(given) - len(keywords)]
    if parameter.optional or parameter.name in keywords or not set(required) <= {*positional, *keywords}:
        return None
    if len(positional) + len(keywords) != len(given) or not _is_known(tree, call, parameter.name):
        return None
    index = None if parameter.by_name else change.new.by_position.index(parameter.name)
    if index is not None and index < len(positional):
        start = tree.span(given[index])[0]
        return Change(start, start, f"{parameter.name}, ")
    text = parameter.name if index == len(given) else f"{parameter.name}={parameter.name}"
    arguments = call.child_by_field_name("arguments")
    assert arguments is not None
    end = tree.span(given[-1])[1] if given else tree.span(arguments)[1] - 1
    return Change(end, end, f", {text}" if given else text)


def _is_known(tree: SyntaxTree, call: Node, name: str) -> bool:
    """Return whether a name is a parameter of the function around a call, or assigned to in it before."""
    around = call.parent
    while around is not None and around.type != "function_definition":
        around = around.parent
    if around is None:
        return False
    for node in tree.nodes(*tree.span(around)):
        if node.type == "identifier" and node.end_byte <= call.start_byte and tree.text_of(node) == name:
            parent = node.parent
            if parent is not None and (parent.type in BINDING or parent.child_by_field_name("left") == node):
                return True
    return False


def _keyword(tree: SyntaxTree, argument: Node) -> str | None:
    """The name that an argument is given by."""
    name = argument.child_by_field_name("name") if argument.type == "keyword_argument" else None
    return None if name is None else tree.text_of(name)
