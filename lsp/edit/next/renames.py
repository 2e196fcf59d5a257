"""The uses of a declaration that was renamed: the program is broken until they follow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import tree_sitter

from coder.syntax.bindings import RESOLVED, Occurrence, occurrences
from coder.syntax.tree import SyntaxTree
from lsp.edit.next.atoms import Atom, atoms
from lsp.edit.next.history import EditHistory
from lsp.edit.next.words import Words

Node = tree_sitter.Node

Rename = tuple[str, str]
"""The old name and the new one."""


@dataclass(frozen=True)
class Follow:
    """The text that a place of the old name has to become, by the characters of the text as it is."""

    start: int
    end: int
    text: str
    rename: Rename


def renamed_declarations(words: Words, history: EditHistory) -> dict[Rename, list[Follow]]:
    """The renames of declarations among the latest edits, each with the places that have to follow: none where the new
    name means something else at one of them already.

    A name counts as renamed where its first declaration was; in C and C++, where prototypes and definitions declare the
    same thing, where any of them was.
    """
    if words.language not in RESOLVED:
        return {}
    made: dict[Rename, list[Atom]] = {}
    for edit in reversed(history.edits):
        for atom in atoms(words.text, edit).all:
            if atom.is_rename:
                made.setdefault((atom.old[0], atom.new[0]), []).append(atom)
    found: dict[Rename, list[Follow]] = {}
    for rename, places in made.items():
        written = [(edit.start, edit.end) for edit in history.edits]
        if (follows := _follows(words, rename, places, written)) is not None:
            found[rename] = follows
    return found


def _follows(
    words: Words, rename: Rename, places: Sequence[Atom], written: Sequence[tuple[int, int]]
) -> list[Follow] | None:
    """The places that have to follow; None where no declaration was renamed. `written` are the edited places."""
    old, new = rename
    starts = sorted({words.starts[words.index_at(atom.start)] for atom in places})
    before = _replaced(words.text, [(start, start + len(new), old) for start in starts])
    shifted = {start + index * (len(old) - len(new)) for index, start in enumerate(starts)}
    tree = SyntaxTree.of(before, words.language)
    known = [] if tree is None else occurrences(tree, words.language, old)
    declared = [each for each in known if each.declares and each.binding is not None]
    if words.language not in ("c", "cpp"):
        declared = list({each.binding: each for each in reversed(declared)}.values())
    renamed = {each.binding for each in declared if each.start in shifted}
    if not renamed:
        return None
    uses = [each for each in known if each.binding in renamed]
    # Methods of Java that share a name are told apart by their arguments, which nothing here looks at.
    overloaded = words.language == "java" and sum(each.declares for each in uses) > 1
    known_new = {
        words.starts[index] + sum(start < words.starts[index] for start in starts) * (len(old) - len(new))
        for index in words.find((new,))
        if any(start <= words.starts[index] < end for start, end in written) and words.starts[index] not in starts
    }
    if len(renamed) > 1 or overloaded or not _stays_apart(before, words.language, uses, new, known_new):
        return []
    if tree is not None and words.language == "python":
        uses += _keywords(tree, next(each for each in uses if each.declares))
    follows = []
    for use in sorted(uses, key=lambda use: use.start):
        if use.start not in shifted:
            done = sum(start < use.start for start in shifted)
            start = use.start + done * (len(new) - len(old))
            text = use.shape.format(old=old, new=new)
            follows.append(Follow(start, start + len(old), text, rename))
    return follows


def _keywords(tree: SyntaxTree, declaration: Occurrence) -> Iterator[Occurrence]:
    """The places where calls of a function of Python give a parameter by name, or calls of a class a field, if it is
    one that is declared."""
    named = tree.smallest(declaration.start, declaration.end)
    name = _called_with(tree, named)
    if name is None:
        return
    known = occurrences(tree, "python", tree.text_of(name))
    own = {each.binding for each in known if (each.start, each.end) == tree.span(name)}
    if sum(each.declares for each in known if each.binding in own) > 1:
        return
    for use in (each for each in known if each.binding in own and not each.declares):
        callee = tree.smallest(use.start, use.end)
        if callee.parent is not None and callee.parent.type == "attribute":
            callee = callee.parent
        call = callee.parent
        arguments = call.child_by_field_name("arguments") if call is not None and call.type == "call" else None
        if call is None or arguments is None or call.child_by_field_name("function") != callee:
            continue
        for argument in arguments.named_children:
            given = argument.child_by_field_name("name") if argument.type == "keyword_argument" else None
            if given is not None and tree.text_of(given) == tree.text_of(named):
                yield Occurrence(*tree.span(given), declaration.binding, False)


def _called_with(tree: SyntaxTree, named: Node) -> Node | None:
    """Return the name of the function whose parameter a name is, or of the class whose calls give it as a field; None
    where it is neither."""
    assignment = named.parent
    body = assignment.parent.parent if assignment is not None and assignment.parent is not None else None
    is_field = assignment is not None and assignment.type == "assignment" and assignment.child_by_field_name("type")
    of = body.parent if is_field and body is not None and body.type == "block" else None
    if of is not None and body is not None and of.type == "class_definition":
        definitions = (child.child_by_field_name("definition") or child for child in body.named_children)
        names = (each.child_by_field_name("name") for each in definitions if each.type == "function_definition")
        own = any(name is not None and tree.text_of(name) in ("__init__", "__new__") for name in names)
        return None if own else of.child_by_field_name("name")
    within: Node | None = named
    while within is not None and within.type not in ("parameters", "block", "lambda"):
        within = within.parent
    function = within.parent if within is not None and within.type == "parameters" else None
    return function.child_by_field_name("name") if function is not None else None


def _stays_apart(before: str, language: str, uses: Sequence[Occurrence], new: str, written: set[int]) -> bool:
    """Return whether the new name, at all these places, stands for the same declaration, and for nothing else there
    was. `written` are the places of the new name that were written for the rename: the value of `{old: new}`."""
    texts = [(use.start, use.end, use.shape.format(old=before[use.start : use.end], new=new)) for use in uses]
    tree = SyntaxTree.of(_replaced(before, texts), language)
    expected, shift = set[int](), 0
    also = {place + sum(len(text) - (end - start) for start, end, text in texts if start < place) for place in written}
    for (start, end, text), use in zip(texts, uses, strict=True):
        expected.add(start + shift + use.shape.format(old=before[start:end], new="\0").index("\0"))
        shift += len(text) - (end - start)
    found = [] if tree is None else occurrences(tree, language, new)
    bindings = {each.binding for each in found if each.start in expected}
    same = {each.start for each in found if each.binding in bindings} - also
    return len(bindings) == 1 and None not in bindings and same == expected


def _replaced(text: str, places: Sequence[tuple[int, int, str]]) -> str:
    """The text with other texts at some places, given in order."""
    for start, end, new in reversed(places):
        text = text[:start] + new + text[end:]
    return text


def all_follows(renames: dict[Rename, list[Follow]]) -> Iterator[Follow]:
    for follows in renames.values():
        yield from follows
