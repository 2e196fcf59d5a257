"""A syntax tree in characters: what tree-sitter says in bytes, for every question about where something stands."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

import tree_sitter

from coder.syntax.parsing import Span, parse


class SyntaxTree:
    """A text and its tree. Positions count characters of the text."""

    def __init__(self, text: str, root: tree_sitter.Node) -> None:
        self.text = text
        self.root = root
        self._content = text.encode(errors="replace")
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
        return character if self._starts is None else len(self.text[:character].encode(errors="replace"))
