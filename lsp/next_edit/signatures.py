"""A parameter was added to a function or removed from it: its calls, where they surely lack or have its argument.

For Python. A removed parameter takes its argument along. An added one that has no default is passed on under its own
name, where that is the name of something in the function that calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import tree_sitter

from coder.edits import Change
from coder.syntax.tree import SyntaxTree
from lsp.next_edit.history import PastEdit, reverted

Node = tree_sitter.Node

CALLED = Callable[[Node], bool]
"""Whether the function of a call is the one that was changed."""

BINDING = frozenset(
    ["parameters", "typed_parameter", "default_parameter", "typed_default_parameter", "lambda_parameters"]
)


@dataclass(frozen=True)
class Parameter:
    """Attributes: whether a call may leave it out, and whether it can only be given by name."""

    name: str
    optional: bool = False
    by_name: bool = False


@dataclass(frozen=True)
class Signature:
    """What a call may pass to a function; `any_number` of positional arguments where it has a starred parameter."""

    parameters: tuple[Parameter, ...]
    any_number: bool

    @property
    def by_position(self) -> list[str]:
        return [parameter.name for parameter in self.parameters if not parameter.by_name]


@dataclass(frozen=True)
class SignatureChange:
    """One parameter more or less.

    Attributes:
        function: what is called; the class where its `__init__` was changed.
        owner: the class that it is a method of, where it is called as an attribute of something.
        top_level: whether other files can import it.
        old, new: what a call passes. parameter: the one that came or went, `added` or removed.
    """

    function: str
    owner: str | None
    top_level: bool
    old: Signature
    new: Signature
    parameter: Parameter
    added: bool

    @property
    def title(self) -> str:
        return f"{self.function} {'takes' if self.added else 'no longer takes'} {self.parameter.name}"


def signature_change(tree: SyntaxTree, edit: PastEdit) -> SignatureChange | None:
    """What an edit of Python did to a signature; None where that is nothing, or more than one parameter."""
    function = _function_at(tree, edit.start, edit.end)
    parameters = function and function.child_by_field_name("parameters")
    if function is None or parameters is None:
        return None
    first, last = tree.span(parameters)
    if edit.start > last or edit.end < first:
        return None
    before = SyntaxTree.of(reverted(tree.text, [edit]), "python")
    start = tree.span(function)[0]
    was = None if before is None else _function_at(before, start, start + 1)
    if before is None or was is None or before.span(was)[0] != start or _name(before, was) != _name(tree, function):
        return None
    old, new = signature(before, was), signature(tree, function)
    names = [{parameter.name for parameter in each.parameters} for each in (old, new)]
    changed = [
        each for each in (*old.parameters, *new.parameters) if (each.name in names[0]) != (each.name in names[1])
    ]
    if len(changed) != 1:
        return None
    (parameter,) = changed
    if [each for each in old.parameters if each != parameter] != [each for each in new.parameters if each != parameter]:
        return None
    owner = _class_of(function)
    change = SignatureChange(
        _name(tree, function), None, _is_top_level(owner or function), old, new, parameter, parameter.name in names[1]
    )
    if owner is None:
        return change
    if _is_static(tree, function):
        return replace(change, owner=_name(tree, owner))
    if parameter in (*old.parameters[:1], *new.parameters[:1]):
        return None
    bound = replace(change, old=_bound(old), new=_bound(new))
    if change.function == "__init__":
        return replace(bound, function=_name(tree, owner))
    return replace(bound, owner=_name(tree, owner))


def signature(tree: SyntaxTree, function: Node) -> Signature:
    """Of a function's definition."""
    found: list[Parameter] = []
    by_name = any_number = False
    parameters = function.child_by_field_name("parameters")
    for node in parameters.named_children if parameters is not None else ():
        name = (
            node.child_by_field_name("name") or next(iter(node.named_children), None) if node.named_children else node
        )
        if name is None or node.type in ("comment", "positional_separator"):
            continue
        starred = "splat" in node.type or "splat" in name.type or node.type == "keyword_separator"
        if starred:
            by_name = True
            any_number = any_number or not (node.type == "keyword_separator" or "dictionary" in node.type + name.type)
        else:
            found.append(Parameter(tree.text_of(name), "default" in node.type, by_name))
    return Signature(tuple(found), any_number)


def adapted_calls(tree: SyntaxTree, change: SignatureChange, is_called: CALLED) -> Iterator[Change]:
    """What each call has to become, as far as that is sure."""
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


def is_call_of(tree: SyntaxTree, change: SignatureChange) -> CALLED:
    """In the file of the function itself: by its name, if nothing else there has it."""
    definitions = [node for node in tree.nodes() if node.type in ("function_definition", "class_definition")]
    alone = sum(_name(tree, node) == change.function for node in definitions) == 1

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
    """Whether a name is a parameter of the function around a call, or assigned to in it before."""
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


def _function_at(tree: SyntaxTree, start: int, end: int) -> Node | None:
    """The innermost function around some characters."""
    node: Node | None = tree.smallest(start, end)
    while node is not None and node.type != "function_definition":
        node = node.parent
    return node


def _class_of(function: Node) -> Node | None:
    """The class that a function is a method of."""
    node = function.parent
    if node is not None and node.type == "decorated_definition":
        node = node.parent
    return (
        node.parent if node is not None and node.parent is not None and node.parent.type == "class_definition" else None
    )


def _is_static(tree: SyntaxTree, function: Node) -> bool:
    decorated = function.parent
    if decorated is None or decorated.type != "decorated_definition":
        return False
    return any(tree.text_of(node) == "@staticmethod" for node in decorated.named_children)


def _is_top_level(definition: Node) -> bool:
    node = definition.parent
    while node is not None and node.type not in ("function_definition", "class_definition"):
        node = node.parent
    return node is None


def _bound(signature: Signature) -> Signature:
    """As it is called, without `self`."""
    return replace(signature, parameters=signature.parameters[1:])


def _name(tree: SyntaxTree, definition: Node) -> str:
    name = definition.child_by_field_name("name")
    return "" if name is None else tree.text_of(name)
