"""Which names of a Python file are those of a module: what it imports from it, and by which names it knows it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import PurePosixPath

import tree_sitter

from coder.syntax.tree import SyntaxTree

Node = tree_sitter.Node


@dataclass(frozen=True)
class Import:
    """`name` is imported from the module at `node`, and is known as that or as `alias`."""

    name: str
    node: Node
    alias: str | None


@dataclass(frozen=True)
class Imports:
    """What a file imports of one module.

    Attributes:
        names: from it. modules: by which the module itself is known, as it is written before a dot.
    """

    names: tuple[Import, ...]
    modules: frozenset[str]


def imports_of(tree: SyntaxTree, file: PurePosixPath, module: PurePosixPath) -> Imports:
    """What the file, of which this is the tree, imports of the module in another file; no star imports."""
    names: list[Import] = []
    modules: set[str] = set()
    for node in tree.nodes():
        source = node.child_by_field_name("module_name")
        imported = [_import(tree, child) for child in node.children_by_field_name("name")]
        if node.type == "import_statement":
            modules |= {each.alias or each.name for each in imported if _is(each.name, file, module)}
        elif node.type == "import_from_statement" and source is not None:
            if _is(tree.text_of(source), file, module):
                names += imported
            dots = tree.text_of(source).rstrip(".") and "."
            inside = (each for each in imported if _is(f"{tree.text_of(source)}{dots}{each.name}", file, module))
            modules |= {each.alias or each.name for each in inside}
    return Imports(tuple(names), frozenset(modules))


def _import(tree: SyntaxTree, node: Node) -> Import:
    """`a.b`, or `a.b as c`."""
    alias = node.child_by_field_name("alias")
    name = node.child_by_field_name("name") or node
    return Import(tree.text_of(name), name, tree.text_of(alias) if alias is not None else None)


def _is(name: str, file: PurePosixPath, module: PurePosixPath) -> bool:
    """Whether a file means the module by a name: a path from the file's folder, or the end of the module's path, if
    that is no module of Python's own."""
    path = module.parent if module.name == "__init__.py" else module.with_suffix("")
    parts = name.lstrip(".").split(".") if name.strip(".") else []
    dots = len(name) - len(name.lstrip("."))
    if dots:
        return dots <= len(file.parents) and file.parents[dots - 1].joinpath(*parts) == path
    return bool(parts) and parts[0] not in sys.stdlib_module_names and path.parts[-len(parts) :] == tuple(parts)
