"""Markers of a lazy edit: comment lines that stand for code of the file that the edit does not repeat; and the syntax
tree of an edit with such lines, which are no comments everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from coder.syntax.tree import SyntaxTree

JSX = frozenset(("javascript", "javascriptreact", "typescriptreact"))
"""Languages in which a comment has two forms: `{/* … */}` among the children of an element, `// …` elsewhere."""

CHILD = "{/**/}"
COMMENT = "//"

NO_LAST_COMMA = ("c", "cpp", "java")
"""Languages in which a parameter or an argument has to follow a comma."""

AFTER_COMMA = ("_", "_ _")
"""An argument, and a parameter."""

BRACKETS = frozenset(
    "argument_list dictionary dictionary_comprehension generator_expression list list_comprehension parameters "
    "parenthesized_expression set set_comprehension tuple subscript import_from_statement".split()
)
"""Nodes of Python in which a statement cannot stand."""

_SUBJECT = (
    r"(?:code|content|lines?|imports?|functions?|methods?|class(?:es)?|body|fields?|implementation|logic|file|here)"
)
_ADJECTIVE = r"(?:existing|unchanged|remaining|previous|original|other|same)"
_PHRASE = rf"""
    (?:keep\ |leave\ )?(?:the\ )?(?:rest|remainder)\ of\ .*             # rest of the file, rest of code unchanged
  | (?:keep\ |leave\ )?(?:the\ |all\ |all\ of\ the\ )?{_ADJECTIVE}\b(?:\ \w+){{0,4}}?\ {_SUBJECT}\b.*
  | (?:the\ )?rest(?:\ is|\ remains|\ stays)?(?:\ the)?\ (?:unchanged|same)
  | (?:\w+\ ){{0,4}}{_SUBJECT}\ (?:is\ |are\ |remains?\ |stays?\ )?(?:the\ )?(?:unchanged|same|omitted)(?:\ .*)?
  | unchanged
"""
_DOTS = r"(?:\.\.\.|…)"
_OPENING = r"(?:\#+|//+|--+|;+|%+|/\*+|<!--|\{/\*|\(\*)"
_CLOSING = r"(?:\*+/\}?|-->|\*\))?"
_MARKER = re.compile(
    rf"\s*{_OPENING}\s*(?:{_DOTS}\s*(?:\(?\s*(?:{_PHRASE})\s*\)?\s*{_DOTS}?)?|\(?(?:{_PHRASE})\)?\s*{_DOTS})\s*{_CLOSING}\s*",
    re.IGNORECASE | re.VERBOSE,
)


def is_marker(line: str) -> bool:
    """Return whether the line is a comment that says "code as it is": three dots alone, or three dots and words such as
    `existing code` or `rest of the file`."""
    return _MARKER.fullmatch(line) is not None


Forms = Mapping[int, str]
"""The text that stands in the place of a marker, by its row; other markers stay as they are."""


def with_markers(tree: SyntaxTree, language: str, lines: Sequence[str], markers: frozenset[int]) -> SyntaxTree:
    """Return the tree of a text with each marker in a form that the grammar takes in its place.

    In Python that is a statement, for a block may be nothing but a marker; it stays a comment between brackets, and
    where the text is less broken with one: between cases, before `else`. In JSX `// …` would be text among an
    element's children, and `{/* … */}` outside of them is a block, or does not parse. In C, C++ and Java it is an
    argument or a parameter behind a comma that would be the last one.
    """
    if not markers:
        return tree
    if language == "python":
        forms = dict.fromkeys(markers - _in_brackets(tree), "pass")

        def other(row: int, forms: Forms) -> Forms:
            return {key: form for key, form in forms.items() if key != row}

        return _least_broken(tree, language, lines, forms, forms, other)
    if language in JSX:
        texts = [(node.start_point.row, node.end_point.row) for node in tree.nodes() if node.type == "jsx_text"]
        slashes = (row for row in markers if lines[row].lstrip().startswith("/"))
        forms = {row: CHILD for row in slashes if any(first <= row <= last for first, last in texts)}

        def other(row: int, forms: Forms) -> Forms:
            is_child = forms.get(row) == CHILD or lines[row].lstrip().startswith("{")
            return {**forms, row: COMMENT if is_child else CHILD}

        return _least_broken(tree, language, lines, forms, markers, other)
    for form in AFTER_COMMA if language in NO_LAST_COMMA else ():

        def filled(row: int, forms: Forms, form: str = form) -> Forms:
            return {**forms, row: form}

        tree = _least_broken(tree, language, lines, {}, markers, filled)
    return tree


def _in_brackets(tree: SyntaxTree) -> set[int]:
    """The rows of comments between brackets."""
    comments = (node for node in tree.nodes() if node.type == "comment")
    return {node.start_point.row for node in comments if node.parent is not None and node.parent.type in BRACKETS}


def _least_broken(
    tree: SyntaxTree,
    language: str,
    lines: Sequence[str],
    forms: Forms,
    rows: Iterable[int],
    other: Callable[[int, Forms], Forms],
) -> SyntaxTree:
    """Return the tree with the forms, each row's changed for its `other` one where less is broken then."""
    best = _tree(language, lines, forms) if forms else tree
    for row in sorted(rows) if best.root.has_error else ():
        attempted = other(row, forms)
        attempt = _tree(language, lines, attempted)
        if attempt.broken_characters() < best.broken_characters():
            best, forms = attempt, attempted
    return best


def _tree(language: str, lines: Sequence[str], forms: Forms) -> SyntaxTree:
    text = list(lines)
    for row, form in forms.items():
        text[row] = text[row][: len(text[row]) - len(text[row].lstrip())] + form
    tree = SyntaxTree.of("\n".join(text), language)
    assert tree is not None, "the grammar was there for the text as it is"
    return tree
