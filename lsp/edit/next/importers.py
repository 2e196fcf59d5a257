"""The places in other files of JavaScript, TypeScript and Go that name what one file declares: only certain ones.

A file of JavaScript or TypeScript names it where it imports it by a relative path; one of Go where it is of the same
package and says nothing else of the name.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import PurePath

import tree_sitter

from coder.api.text_requests import Change
from coder.syntax.bindings import SCRIPTS, occurrences
from coder.syntax.tree import SyntaxTree

Node = tree_sitter.Node

LANGUAGES = (*SCRIPTS, "go")

GO_DECLARATIONS = ("function_declaration", "type_spec", "const_spec", "var_spec")

SUFFIXES = (".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs")
"""Of files that an import may name by the suffix of another of them, or by none."""


def is_declared_for_others(tree: SyntaxTree, language: str, start: int, end: int) -> bool:
    """Return whether the name at a place is declared there for other files, as the only one of that name."""
    node = tree.smallest(start, end)
    known = occurrences(tree, language, tree.text_of(node))
    own = {each.binding for each in known if each.start == start}
    owner = node.parent
    if owner is None or [each.start for each in known if each.declares and each.binding in own] != [start]:
        return False
    top = node
    while top.parent is not None and top.parent.parent is not None:
        top = top.parent
    if language == "go":
        return owner.type in GO_DECLARATIONS and (owner == top or owner.parent == top)
    declaration = top.child_by_field_name("declaration") if top.type == "export_statement" else None
    by_default = any(child.type == "default" for child in top.children)
    return declaration is not None and not by_default and declaration in (owner, owner.parent)


def uses_elsewhere(
    tree: SyntaxTree, language: str, file: PurePath, module: PurePath, old: str, new: str
) -> Iterator[Change]:
    """Yield the changes of a file that name `old` of the module, which is `new` there now; none where the file binds
    the new name to something."""
    if any(each.binding is not None for each in occurrences(tree, language, new)):
        return
    if language == "go":
        yield from _in_package(tree, file, module, old, new)
    else:
        yield from _in_script(tree, language, file, module, old, new)


def _in_package(tree: SyntaxTree, file: PurePath, module: PurePath, old: str, new: str) -> Iterator[Change]:
    """The free uses in a file of the same folder."""
    paths = (node.child_by_field_name("path") for node in tree.nodes() if node.type == "import_spec")
    imported = {tree.text_of(path).strip('"').rpartition("/")[2] for path in paths if path is not None}
    if file.parent != module.parent or file.name.endswith("_test.go") or old in imported:
        return
    for use in occurrences(tree, "go", old):
        if use.binding is None:
            yield Change(use.start, use.end, new)


def _in_script(
    tree: SyntaxTree, language: str, file: PurePath, module: PurePath, old: str, new: str
) -> Iterator[Change]:
    for statement in tree.root.children:
        source = statement.child_by_field_name("source")
        if source is None or not _means(tree.text_of(source).strip("'\""), file, module):
            continue
        for node in _below(statement):
            if node.type in ("import_specifier", "export_specifier"):
                yield from _specified(tree, language, node, old, new)
            elif node.type == "namespace_import":
                yield from _members(tree, language, node.named_children[0], old, new)


def _specified(tree: SyntaxTree, language: str, specifier: Node, old: str, new: str) -> Iterator[Change]:
    name, alias = specifier.child_by_field_name("name"), specifier.child_by_field_name("alias")
    if name is None or tree.text_of(name) != old:
        return
    start, end = tree.span(name)
    if alias is not None:
        yield Change(start, end, new)
    elif specifier.type == "export_specifier":
        yield Change(start, end, f"{new} as {old}")
    else:
        known = occurrences(tree, language, old)
        own = {each.binding for each in known if each.start == start}
        for use in known:
            if use.binding is not None and use.binding in own:
                yield Change(use.start, use.end, use.shape.format(old=old, new=new))


def _members(tree: SyntaxTree, language: str, namespace: Node, old: str, new: str) -> Iterator[Change]:
    """The name behind that of the whole module."""
    known = occurrences(tree, language, tree.text_of(namespace))
    own = {each.binding for each in known if each.start == tree.span(namespace)[0]}
    for use in (each for each in known if each.binding in own and not each.declares):
        of = tree.smallest(use.start, use.end)
        owner = of.parent
        member = owner and (owner.child_by_field_name("property") or owner.child_by_field_name("name"))
        if owner is not None and member is not None and owner.named_children[0] == of and tree.text_of(member) == old:
            yield Change(*tree.span(member), new)


def _means(name: str, file: PurePath, module: PurePath) -> bool:
    """Return whether an import's path, relative to the file's folder, is that of the module."""
    if not name.startswith("."):
        return False
    path = PurePath(posixpath.normpath(posixpath.join(file.parent.as_posix(), name)))
    stem = module.with_suffix("")
    without = path.with_suffix("") if path.suffix in SUFFIXES else path
    return path == module or without == stem or (stem.name == "index" and path == stem.parent)


def _below(node: Node) -> Iterator[Node]:
    pending = [node]
    while pending:
        each = pending.pop(0)
        yield each
        pending[:0] = each.named_children
