"""Syntax trees, by tree-sitter, for every language whose grammar is installed: positions in characters, and errors.

A grammar forgives a little more than a compiler: what it calls broken is broken, not the other way round.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import cache
from itertools import accumulate

import tree_sitter

from coder.syntax.languages import language_named

Span = tuple[int, int]
"""Characters `start` to `end` of a text, the end not included."""


def parse(text: str, language: str) -> tree_sitter.Tree | None:
    """The syntax tree, in offsets of UTF-8 bytes; None when no grammar for the language is installed."""
    grammar = _grammar(language)
    return tree_sitter.Parser(grammar).parse(_encode(text)) if grammar else None


class SyntaxTree:
    """A text and its tree. Positions count characters of the text."""

    def __init__(self, text: str, root: tree_sitter.Node) -> None:
        self.text = text
        self.root = root
        self._content = _encode(text)
        self._starts: list[int] | None = None
        if len(self._content) != len(text):
            # How many characters begin before each byte: continuation bytes begin none.
            self._starts = [0, *accumulate((byte & 0xC0) != 0x80 for byte in self._content)]

    @staticmethod
    def of(text: str, language: str) -> SyntaxTree | None:
        """None when no grammar for the language is installed."""
        tree = parse(text, language)
        return None if tree is None else SyntaxTree(text, tree.root_node)

    def span(self, node: tree_sitter.Node) -> Span:
        return self._character(node.start_byte), self._character(node.end_byte)

    def text_of(self, node: tree_sitter.Node) -> str:
        return self._content[node.start_byte : node.end_byte].decode()

    def smallest(self, start: int, end: int) -> tree_sitter.Node:
        """The smallest node, named or not, that covers the characters from `start` to `end`."""
        found = self.root.descendant_for_byte_range(self._byte(start), self._byte(end))
        return found or self.root

    def nodes(self, start: int = 0, end: int | None = None) -> Iterator[tree_sitter.Node]:
        """Every node that lies in the region, in the order of the text, a parent before its children."""
        first, last = self._byte(start), self._byte(len(self.text) if end is None else end)
        pending = [self.root]
        while pending:
            node = pending.pop()
            if node.end_byte < first or node.start_byte > last:
                continue
            if node.start_byte >= first and node.end_byte <= last:
                yield node
            pending.extend(reversed(node.children))

    def broken_characters(self) -> int:
        """The number of characters that fit nowhere, and one for each such place and each thing that is missing."""
        nodes = [node for node in self.nodes() if node.is_error or node.is_missing] if self.root.has_error else []
        return sum(1 + node.end_byte - node.start_byte for node in nodes)

    def _character(self, byte: int) -> int:
        return byte if self._starts is None else self._starts[byte]

    def _byte(self, character: int) -> int:
        return character if self._starts is None else len(_encode(self.text[:character]))


def has_errors(text: str, language: str) -> bool | None:
    """Return whether the text breaks its language's syntax; None when no grammar for it is installed."""
    tree = parse(text, language)
    return None if tree is None else tree.root_node.has_error


def error_spans(text: str, language: str) -> list[Span] | None:
    """Return the places where the syntax is broken, in order: text that fits nowhere, and empty spans where something
    is missing.

    None when no grammar for the language is installed.
    """
    tree = SyntaxTree.of(text, language)
    return None if tree is None else [tree.span(node) for node in _broken_nodes(tree.root)]


def brokenness(text: str, language: str) -> int | None:
    """The number of characters that fit nowhere, and one for each such place; 0 for a sound text.

    None when no grammar for the language is installed.
    """
    spans = error_spans(text, language)
    return None if spans is None else sum(1 + end - start for start, end in spans)


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
