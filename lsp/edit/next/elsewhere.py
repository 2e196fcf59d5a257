"""Edits of other files that follow a change of one file: only those that are certain.

In Python, and for what other files import: a function, a class or a variable of a module that got another name, and a
function of which a parameter got another name, was added or removed. In JavaScript, TypeScript and Go what got another
name (`importers.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

import tree_sitter

from coder.api.text_requests import Change
from coder.syntax.bindings import occurrences
from coder.syntax.imports import ModuleImports, imports_of
from coder.syntax.scopes import FUNCTIONS
from lsp.edit.next.adapted_calls import adapted_calls
from lsp.edit.next.atoms import atoms
from lsp.edit.next.declarations import CALLS, declaration_at
from lsp.edit.next.fitness import is_balanced
from lsp.edit.next.history import EditHistory
from lsp.edit.next.importers import LANGUAGES, is_declared_for_others, uses_elsewhere
from lsp.edit.next.signatures import SignatureChange, is_top_level, signature_change
from lsp.edit.next.suggestions import LONGEST_TEXT, SURE, NextEdit, is_edited
from lsp.edit.next.words import Words

Node = tree_sitter.Node


@dataclass(frozen=True)
class Rename:
    """A name of a module is another one now; of a parameter, if it is one of a `function` of the module.

    Attributes:
        starred: whether a star import brings it.
    """

    old: str
    new: str
    function: str | None = None
    starred: bool = False

    @property
    def title(self) -> str:
        return f"Rename {self.old} to {self.new}" if self.function is None else f"{self.old} is {self.new} now"


@dataclass(frozen=True)
class EditedFile:
    """A file as the editor has it, and what was changed in it lately."""

    path: PurePath
    text: str
    language: str
    history: EditHistory


def changed_interface(file: EditedFile) -> list[Rename | SignatureChange]:
    """Return those of the latest edits that other files have to follow, the newest first."""
    if not file.history.edits or len(file.text) > LONGEST_TEXT:
        return []
    words = Words(file.text, file.language)
    if file.language in LANGUAGES:
        return list(_renames_for_others(words, file.history))
    found: list[Rename | SignatureChange] = []
    if file.language != "python":
        return found
    for edit in reversed(file.history.edits):
        for atom in atoms(file.text, edit).all:
            rename = _rename(words, words.index_at(atom.start), atom.old[0], atom.new[0]) if atom.is_rename else None
            found += [rename] if rename is not None else []
        signature = signature_change(words.tree, edit) if words.tree is not None else None
        if signature is not None and signature.top_level and signature.owner is None:
            found.append(signature)
    return found


def _renames_for_others(words: Words, history: EditHistory) -> Iterator[Rename]:
    """Yield the renames, of JavaScript, TypeScript or Go, of what other files may name."""
    for edit in reversed(history.edits):
        for atom in atoms(words.text, edit).all:
            index = words.index_at(atom.start)
            if not atom.is_rename or words.tree is None or not 0 <= index < len(words.words):
                continue
            place = words.starts[index], words.ends[index]
            known = occurrences(words.tree, words.language, atom.old[0])
            if not any(each.declares for each in known) and is_declared_for_others(words.tree, words.language, *place):
                yield Rename(atom.old[0], atom.new[0])


def followed(file: EditedFile, module: PurePath, change: Rename | SignatureChange) -> Iterator[NextEdit]:
    """Yield the edits of a file that follow a change of a module, in the order of the text; places just edited are
    left."""
    if file.language not in (*LANGUAGES, "python") or len(file.text) > LONGEST_TEXT:
        return
    if (change.old if isinstance(change, Rename) else change.function) not in file.text:
        return  # it need not be parsed
    words = Words(file.text, file.language)
    if words.tree is None:
        return
    if file.language == "python":
        changes = _changes(words, imports_of(words.tree, file.path, module), change)
    elif isinstance(change, Rename):
        changes = uses_elsewhere(words.tree, file.language, file.path, module, change.old, change.new)
    else:
        return
    for edit in sorted(changes, key=lambda edit: edit.start):
        old = file.text[edit.start : edit.end]
        if not is_edited(edit.start, edit.end, file.history) and is_balanced(old, edit.text):
            source = "rename" if isinstance(change, Rename) and change.function is None else "signature"
            yield NextEdit(edit.start, edit.end, edit.text, source, change.title, SURE)


def _rename(words: Words, index: int, old: str, new: str) -> Rename | None:
    """Return the rename of a word as other files see it; None where they do not."""
    declaration, node = declaration_at(words, index), words.node(index)
    if declaration is None or node is None or node.parent is None:
        return None
    if not declaration.function:
        owner = node.parent if node.parent.child_by_field_name("name") == node else node
        starred = not new.startswith("_") and not old.startswith("_") and not words.find(("__all__",))
        return Rename(old, new, starred=starred) if declaration.scope is None and is_top_level(owner) else None
    function = node
    while function.type not in FUNCTIONS and function.parent is not None:
        function = function.parent
    return Rename(old, new, declaration.function) if is_top_level(function) else None


def _changes(words: Words, imports: ModuleImports, change: Rename | SignatureChange) -> Iterator[Change]:
    if isinstance(change, SignatureChange):
        assert words.tree is not None
        yield from adapted_calls(words.tree, change, _is_named(words, imports, change.function))
    elif change.function is not None:
        yield from _keywords(words, _is_named(words, imports, change.function), change)
    else:
        yield from _uses(words, imports, change)


def _uses(words: Words, imports: ModuleImports, change: Rename) -> Iterator[Change]:
    """The name where it is imported, where it stands for what was imported, and behind the name of the module."""
    assert words.tree is not None
    is_imported = _is_known(words, imports, {change.old, change.new}, change.old) or (
        change.starred and imports.starred and _is_free(words, change.old)
    )
    for index in words.find((change.old,)):
        node = words.node(index)
        if node is None or node.type != "identifier" or node.parent is None:
            continue
        owner = node.parent
        of = owner.child_by_field_name("object") if owner.type == "attribute" else None
        if of is not None and owner.child_by_field_name("attribute") == node:
            wanted = words.tree.text_of(of) in imports.modules
        elif owner.type == "keyword_argument" and owner.child_by_field_name("name") == node:
            wanted = False
        elif owner.type in ("dotted_name", "aliased_import"):
            wanted = any(each.node in (node, owner) for each in imports.names)
        else:
            wanted = is_imported
        if wanted:
            yield Change(words.starts[index], words.ends[index], change.new)


def _keywords(words: Words, is_called: Callable[[Node], bool], change: Rename) -> Iterator[Change]:
    """The parameter where calls give it by name."""
    for index in words.find((change.old,)):
        node = words.node(index)
        argument = node.parent if node is not None else None
        if argument is None or argument.type != "keyword_argument" or argument.child_by_field_name("name") != node:
            continue
        call = argument.parent and argument.parent.parent
        function = call.child_by_field_name("function") if call is not None and call.type in CALLS else None
        if function is not None and is_called(function):
            yield Change(words.starts[index], words.ends[index], change.new)


def _is_named(words: Words, imports: ModuleImports, name: str) -> Callable[[Node], bool]:
    """Return whether a node of the file is the module's name."""
    assert words.tree is not None
    tree, aliases = words.tree, {each.alias for each in imports.names if each.name == name and each.alias}
    names = aliases | ({name} if _is_known(words, imports, {name}, name) else set())
    texts = names | {f"{module}.{name}" for module in imports.modules}
    return lambda node: tree.text_of(node) in texts


def _is_known(words: Words, imports: ModuleImports, imported: set[str], name: str) -> bool:
    """Return whether a name stands for one of those that are imported, and for nothing else anywhere in the file."""
    if not any(each.name in imported and each.alias is None for each in imports.names):
        return False
    return all(declaration_at(words, index) is None for index in words.find((name,)))


def _is_free(words: Words, name: str) -> bool:
    """Return whether a file binds a name nowhere, so that its star import brings it."""
    return words.tree is not None and all(each.binding is None for each in occurrences(words.tree, "python", name))
