"""A text as words and marks, with what its syntax tree says about each place that is asked about."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property

import tree_sitter

from coder.syntax.tree import SyntaxTree

WORD = re.compile(r"\w+|[^\w\s]")

PROSE = ("comment", "string_content", "string_fragment", "interpreted_string_literal_content", "string_literal_content")
"""Nodes whose words are no code."""


@dataclass(frozen=True)
class WordKind:
    """The kind of a place: its node, its parent, and the parent of that."""

    node: str
    parent: str
    above: str

    @property
    def is_prose(self) -> bool:
        return self.node in PROSE


class Words:
    """The words of a text, in order. `starts` and `ends` are in characters."""

    def __init__(self, text: str, language: str) -> None:
        self.text = text
        self.language = language
        found = list(WORD.finditer(text))
        self.words = [word.group() for word in found]
        self.starts = [word.start() for word in found]
        self.ends = [word.end() for word in found]

    @cached_property
    def tree(self) -> SyntaxTree | None:
        return SyntaxTree.of(self.text, self.language)

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """The places of each word."""
        places: dict[str, list[int]] = {}
        for index, word in enumerate(self.words):
            places.setdefault(word, []).append(index)
        return places

    def index_at(self, position: int) -> int:
        """The first word that begins at a position or behind it."""
        return bisect_left(self.starts, position)

    def find(self, words: tuple[str, ...]) -> list[int]:
        """Return the places where these words follow each other."""
        first, count = words[0], len(words)
        return [index for index in self.places.get(first, ()) if tuple(self.words[index : index + count]) == words]

    def kind(self, index: int) -> WordKind | None:
        """Return the kind of a word; None without a grammar."""
        node = self.node(index)
        if node is None:
            return None
        parent = node.parent
        above = parent.parent if parent is not None else None
        return WordKind(node.type, parent.type if parent else "", above.type if above else "")

    def node(self, index: int) -> tree_sitter.Node | None:
        if self.tree is None or not 0 <= index < len(self.words):
            return None
        return self.tree.smallest(self.starts[index], self.ends[index])
