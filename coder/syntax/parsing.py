"""The syntax errors of a text, by tree-sitter, for every language whose grammar is installed.

A grammar forgives a little more than a compiler: what it calls broken is broken, not the other way round.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import cache

import tree_sitter

from coder.syntax.languages import language_named

Span = tuple[int, int]
"""Characters `start` to `end` of a text, the end not included."""


def has_errors(text: str, language: str) -> bool | None:
    """Return whether the text breaks its language's syntax; None when no grammar for it is installed."""
    tree = parse(text, language)
    return None if tree is None else tree.root_node.has_error


def error_spans(text: str, language: str) -> list[Span] | None:
    """Return the places where the syntax is broken, in order: text that fits nowhere, and empty spans where something
    is missing.

    None when no grammar for the language is installed.
    """
    tree = parse(text, language)
    if tree is None:
        return None
    content = _encode(text)
    spans: list[Span] = []
    byte = character = 0
    for node in _broken_nodes(tree.root_node):
        start = character + len(content[byte : node.start_byte].decode())
        character = start + len(content[node.start_byte : node.end_byte].decode())
        byte = node.end_byte
        spans.append((start, character))
    return spans


def brokenness(text: str, language: str) -> int | None:
    """The number of characters that fit nowhere, and one for each such place; 0 for a sound text.

    None when no grammar for the language is installed.
    """
    spans = error_spans(text, language)
    return None if spans is None else sum(1 + end - start for start, end in spans)


def parse(text: str, language: str) -> tree_sitter.Tree | None:
    """The syntax tree, in offsets of UTF-8 bytes; None when no grammar for the language is installed."""
    grammar = _grammar(language)
    return tree_sitter.Parser(grammar).parse(_encode(text)) if grammar else None


def _encode(text: str) -> bytes:
    """UTF-8, where half a surrogate pair, which has none, counts as a question mark."""
    return text.encode(errors="replace")


@cache
def _grammar(language: str) -> tree_sitter.Language | None:
    known = language_named(language)
    if known is None or known.grammar is None:
        return None
    package, function = known.grammar
    try:
        module = importlib.import_module(package)
    except ModuleNotFoundError:
        return None
    return tree_sitter.Language(getattr(module, function)())


def _broken_nodes(root: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """The outermost broken nodes, left to right.

    What a grammar keeps to itself, such as the end of a statement, is no node when it is missing: then the node that
    lacks it counts as broken.
    """
    pending = [root]
    while pending:
        node = pending.pop()
        inside = [child for child in node.children if child.has_error or child.is_missing]
        if node.is_error or node.is_missing or (node.has_error and not inside):
            yield node
        else:
            pending.extend(reversed(inside))
