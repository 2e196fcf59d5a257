"""Names of Python in one file, those of members included: which places stand for the same thing."""

from __future__ import annotations

import builtins
from collections.abc import Iterator

import tree_sitter

from coder.syntax.python_names import Analysis
from coder.syntax.python_scope import PythonScope
from coder.syntax.tree import SyntaxTree

Node = tree_sitter.Node


def resolved_names(tree: SyntaxTree, name: str) -> Iterator[tuple[Node, PythonScope | None, bool]]:
    """Every place of a name: the node, the scope that binds what it stands for (None where the file does not say), and
    whether it is bound there. Behind `self`, `cls`, `super()` and the name of a class it stands for what the class
    itself, or a method of it, or one of its bases in the file, binds."""
    analysis = Analysis(tree)
    analysis.run()
    for bound, node, scope in analysis.bindings:
        if bound == name:
            yield node, scope.owner(name), True
    for used, node, scope in analysis.all_uses:
        if used == name:
            yield node, scope.owner(name), False
    members = [(node, scope.of_class) for node, scope in analysis.members if tree.text_of(node) == name]
    members += [
        (node, of) for node, of_name, scope in analysis.attributes
        if tree.text_of(node) == name and (of := _class_named(analysis, of_name, scope)) is not None
    ]  # fmt: skip
    written = {scope for node, scope in members if scope is not None and _is_assigned(node)}
    inherited = [(node, scope.of_class) for node, scope in analysis.of_super if tree.text_of(node) == name]
    for node, scope in members:
        owner = None if scope is None else _owner(analysis, scope, name, written)
        if owner is not None:
            yield node, owner, name not in owner.bound and _is_assigned(node)
    for node, scope in inherited:
        owner = None if scope is None else _owner(analysis, scope, name, written, inherited=True)
        if owner is not None:
            yield node, owner, False


def _class_named(analysis: Analysis, name: str, scope: PythonScope) -> PythonScope | None:
    """The body of the class that a name stands for; None where it may be something else."""
    owner = scope.owner(name)
    classes = analysis.classes.get((owner, name), []) if owner is not None else []
    alone = sum(bound == name and at is owner for bound, _, at in analysis.bindings) == 1
    return classes[0] if len(classes) == 1 and alone else None


def _owner(
    analysis: Analysis, of: PythonScope, name: str, written: set[PythonScope], inherited: bool = False
) -> PythonScope | None:
    """The class, among this one and its bases, that binds a member; `written` are those whose methods assign it.

    Args:
        inherited: whether it is looked up behind `super()`, in the bases alone.
    """
    owner = None
    for each in _lineage(analysis, of, name):
        if each is None:
            break
        if each is of and inherited:
            continue
        if name in each.bound:
            return each
        owner = each if each in written else owner
    return owner


def _lineage(
    analysis: Analysis, of: PythonScope, name: str, below: tuple[PythonScope, ...] = ()
) -> Iterator[PythonScope | None]:
    """A class and its bases, those of the first one before the second one; None stands for one that is not in the
    file and may bind the member."""
    yield of
    bases, scope = analysis.bases.get(of, ([], of))
    for node in bases:
        base_name = analysis.tree.text_of(node)
        base = _class_named(analysis, base_name, scope)
        builtin = getattr(builtins, base_name, None) if scope.owner(base_name) is None else None
        if isinstance(builtin, type) and not hasattr(builtin, name):
            continue
        if base is None or base in (of, *below):
            yield None
        else:
            yield from _lineage(analysis, base, name, (of, *below))


def _is_assigned(member: Node) -> bool:
    """Return whether an attribute is the target of a plain assignment."""
    attribute = member.parent
    statement = attribute.parent if attribute is not None else None
    return (
        statement is not None and statement.type == "assignment" and statement.child_by_field_name("left") == attribute
    )
