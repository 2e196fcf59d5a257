"""Changes of a Python function's signature: a parameter added or removed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import tree_sitter

from coder.syntax.scopes import CLASSES, FUNCTIONS
from coder.syntax.tree import SyntaxTree
from lsp.edit.next.history import PastEdit, reverted

Node = tree_sitter.Node


@dataclass(frozen=True)
class Parameter:
    """Attributes: whether a call may leave it out, and whether it can only be given by name."""

    name: str
    optional: bool = False
    by_name: bool = False


@dataclass(frozen=True)
class Signature:
    """The arguments that a call may pass to a function; `any_number` of positional arguments where it has a starred
    parameter."""

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
    """Return the change of a signature by an edit; None where there is none, or more than one parameter changed."""
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
    if before is None or was is None or before.span(was)[0] != start or name_of(before, was) != name_of(tree, function):
        return None
    old, new = signature(before, was), signature(tree, function)
    parameter = _one_more_or_less(old.parameters, new.parameters)
    if parameter is None:
        return None
    owner, added = _class_of(function), parameter in new.parameters
    top_level = is_top_level(owner or function)
    change = SignatureChange(name_of(tree, function), None, top_level, old, new, parameter, added)
    if owner is None:
        return change
    if _is_static(tree, function):
        return replace(change, owner=name_of(tree, owner))
    if parameter in (*old.parameters[:1], *new.parameters[:1]):
        return None
    bound = replace(change, old=_bound(old), new=_bound(new))
    if change.function == "__init__":
        return replace(bound, function=name_of(tree, owner))
    return replace(bound, owner=name_of(tree, owner))


def _one_more_or_less(old: tuple[Parameter, ...], new: tuple[Parameter, ...]) -> Parameter | None:
    """The parameter that only one of the two has, if they are the same without it."""
    shorter, longer = sorted((old, new), key=len)
    changed = [each for each in longer if each not in shorter]
    if len(changed) != 1 or [each for each in longer if each not in changed] != list(shorter):
        return None
    return changed[0] if changed[0].name not in {each.name for each in shorter} else None


def signature(tree: SyntaxTree, function: Node) -> Signature:
    """Of a function's definition."""
    found: list[Parameter] = []
    by_name = any_number = False
    parameters = function.child_by_field_name("parameters")
    for node in parameters.named_children if parameters is not None else ():
        first = node.named_children[0] if node.named_children else node
        name = node.child_by_field_name("name") or first
        if node.type in ("comment", "positional_separator"):
            continue
        starred = "splat" in node.type or "splat" in name.type or node.type == "keyword_separator"
        if starred:
            by_name = True
            any_number = any_number or not (node.type == "keyword_separator" or "dictionary" in node.type + name.type)
        else:
            found.append(Parameter(tree.text_of(name), "default" in node.type, by_name))
    return Signature(tuple(found), any_number)


def _function_at(tree: SyntaxTree, start: int, end: int) -> Node | None:
    """The innermost function around some characters."""
    node: Node | None = tree.smallest(start, end)
    while node is not None and node.type != "function_definition":
        node = node.parent
    return node


def _class_of(function: Node) -> Node | None:
    """The class that a function is a method of."""
    block = function.parent
    if block is not None and block.type == "decorated_definition":
        block = block.parent
    around = block.parent if block is not None else None
    return around if around is not None and around.type == "class_definition" else None


def _is_static(tree: SyntaxTree, function: Node) -> bool:
    decorated = function.parent
    if decorated is None or decorated.type != "decorated_definition":
        return False
    return any(tree.text_of(node) == "@staticmethod" for node in decorated.named_children)


def is_top_level(node: Node) -> bool:
    """Return whether what is declared there can be imported: it is in no function or class."""
    parent = node.parent
    while parent is not None and parent.type not in FUNCTIONS | CLASSES:
        parent = parent.parent
    return parent is None


def _bound(signature: Signature) -> Signature:
    """As it is called, without `self`."""
    return replace(signature, parameters=signature.parameters[1:])


def name_of(tree: SyntaxTree, definition: Node) -> str:
    name = definition.child_by_field_name("name")
    return "" if name is None else tree.text_of(name)
