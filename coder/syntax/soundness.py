"""A check of whether a text is code that its language accepts.

The grammar decides. For Python the compiler that runs this adds what the grammar forgives (wrong indentation, a
`return` outside of a function), but it is asked only about what its version knows: newer constructs are written in an
older form of the same length first, so that its positions hold for the text as it is.
"""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Iterator

import tree_sitter

from coder.syntax.tree import SyntaxTree, has_errors

NEWER = re.compile(r"\btype\s+\w|\b(?:def|class)\s+\w+\s*\[|\bexcept\b[^:\n]*,|(?i:\b(?:f|rf|fr|t|rt|tr))[\"']")
"""Marks of syntax that an older Python may not know. Only a text with one of them is parsed twice."""

LONGEST_COMPILED = 100_000
"""Characters. Nothing can interrupt the compiler, which takes a second for some 500,000 on a busy machine; of a longer
text the grammar alone decides."""


def is_sound(text: str, language: str) -> bool | None:
    """Return whether the text breaks no rule of its language's syntax; None when no grammar for it is installed."""
    broken = has_errors(text, language)
    if broken is None:
        return None
    return not broken and (language != "python" or compiler_error(text) is None)


def python_tree(text: str) -> ast.Module | None:
    """The tree of Python that compiles; None for what does not. What is newer than the version that runs this is left
    out of it."""
    try:
        return _compiled(text)
    except SyntaxError:
        pass
    except (ValueError, RecursionError, MemoryError):
        return None
    older = in_older_python(text)
    try:
        return None if older == text else _compiled(older)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def compiler_error(text: str, parse_only: bool = False) -> SyntaxError | None:
    """The error that Python's compiler finds in the text, by the rules of the newest Python that the grammar knows.

    None also where it cannot tell, since the text is nested too deeply for it, or too long to wait for it.

    Args:
        parse_only: what is only wrong in its place (a `return` outside of a function) is no error then.
    """
    if len(text) > LONGEST_COMPILED:
        return None
    error = _compiler_error(text, parse_only)
    if error is None or (older := in_older_python(text)) == text:
        return error
    return _compiler_error(older, parse_only)


def in_older_python(text: str) -> str:
    """The text with what the running Python is too old for in an older form, of the same length and lines."""
    if not NEWER.search(text):
        return text
    tree = SyntaxTree.of(text, "python")
    assert tree is not None, "the grammar of Python is a dependency"
    written, done = list(text), 0
    for node in tree.nodes():
        for start, end, older in _older(tree, node):
            if start >= done:  # Otherwise it lies in one that is written already.
                written[start:end] = _padded(text[start:end], older)
                done = end
    return "".join(written)


def _older(tree: SyntaxTree, node: tree_sitter.Node) -> Iterator[tuple[int, int, str]]:
    """Replacements of what the running Python does not know: from where to where, and by what."""
    version = sys.version_info
    start, end = tree.span(node)
    parent = node.parent
    if node.type == "type_alias_statement" and version < (3, 12):
        yield start, end, "pass"
    elif node.type == "type_parameter" and version < (3, 12):
        if parent is not None and parent.type in ("function_definition", "class_definition"):
            yield start, end, ""
    elif node.type == "string" and _is_newer_string(tree, node):
        yield start, end, "('')" if end - start > 3 else "''"
    elif node.type == "except_clause" and version < (3, 14):
        comma = next((child for child in node.children if child.type == ","), None)
        named = [child for child in node.named_children if child.type not in ("block", "comment")]
        if comma is not None and named:
            yield tree.span(comma)[0], tree.span(named[-1])[1], ""


def _is_newer_string(tree: SyntaxTree, node: tree_sitter.Node) -> bool:
    """Return whether a string is a template, or has in its replacement fields what only Python 3.12 allows there: its
    own quotes, backslashes, comments, and line breaks where it has one line."""
    opening = tree.text_of(node.children[0]) if node.children else ""
    prefix = opening.rstrip("\"'").lower()
    if "t" in prefix:
        return sys.version_info < (3, 14)
    if "f" not in prefix or sys.version_info >= (3, 12):
        return False
    quote = opening[len(prefix) :]
    forbidden = (quote[0] if len(quote) == 1 else quote, "\\", "#", *("\n" * (len(quote) == 1)))
    fields = (tree.text_of(child) for child in node.children if child.type == "interpolation")
    return any(mark in each for each in fields for mark in forbidden)


def _padded(old: str, new: str) -> str:
    """`new` with blanks up to the length of `old` and its line breaks: inside brackets, or behind a backslash."""
    closing = ")" if new.endswith(")") else ""
    new = new.removesuffix(closing)
    blanks = [character if character == "\n" else " " for character in old[len(new) : len(old) - len(closing)]]
    for index, character in enumerate(blanks):
        if character == "\n" and index and not new:
            blanks[index - 1] = "\\"
    return new + "".join(blanks) + closing


def _compiled(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
        compile(tree, "text", "exec", dont_inherit=True)
    return tree


def _compiler_error(text: str, parse_only: bool) -> SyntaxError | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if parse_only:
                compile(text, "text", "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
            else:
                compile(ast.parse(text), "text", "exec", dont_inherit=True)
    except SyntaxError as error:
        return error
    except ValueError as error:
        return SyntaxError(str(error))
    except (RecursionError, MemoryError):
        pass
    return None
