"""The attributes of a person that the decisions of a function read, found by its syntax."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator


def protected_attributes_in_decisions(program: str, protected: Collection[str]) -> set[str] | None:
    """The protected attributes that a condition or a returned decision reads, itself or by way of variables.

    `person.gender`, `person["gender"]` and `getattr(person, "gender")` are reads of an attribute. None when the program
    does not parse.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    derived = _derived_variables(tree, protected)
    return {name for decision in _decisions(tree) for name in _reads(decision, protected, derived)}


def _decisions(tree: ast.AST) -> Iterator[ast.AST]:
    """The conditions of branches, and returned values that are comparisons or combinations of them."""
    for node in ast.walk(tree):
        match node:
            case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test):
                yield test
            case ast.comprehension(ifs=tests):
                yield from tests
            case ast.Match(subject=subject):
                yield subject
            case ast.match_case(guard=ast.expr() as guard):
                yield guard
            case ast.Return(value=ast.expr() as value):
                yield from (
                    part for part in ast.walk(value) if isinstance(part, (ast.Compare, ast.BoolOp, ast.UnaryOp))
                )
                if isinstance(value, (ast.Attribute, ast.Name, ast.Call, ast.Subscript)):
                    yield value


def _reads(node: ast.AST, protected: Collection[str], derived: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    for part in ast.walk(node):
        match part:
            case ast.Attribute(attr=name) if name in protected:
                found.add(name)
            case ast.Subscript(slice=ast.Constant(value=str(name))) if name in protected:
                found.add(name)
            case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(name)), *_]) if (
                name in protected
            ):
                found.add(name)
            case ast.Name(id=name, ctx=ast.Load()) if name in derived:
                found |= derived[name]
    return found


def _derived_variables(tree: ast.AST, protected: Collection[str]) -> dict[str, set[str]]:
    """The variables that are computed from protected attributes, each with those attributes. Follows chains."""
    derived: dict[str, set[str]] = {}
    assignments = [
        (target.id, value)
        for node in ast.walk(tree)
        for target, value in _assigned(node)
        if isinstance(target, ast.Name)
    ]
    for _ in assignments:
        before = {name: set(found) for name, found in derived.items()}
        for name, value in assignments:
            if found := _reads(value, protected, derived):
                derived.setdefault(name, set()).update(found)
        if derived == before:
            break
    return derived


def _assigned(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from ((target, value) for target in targets)
        case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
            yield target, value
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield target, value
