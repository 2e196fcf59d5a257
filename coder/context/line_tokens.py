"""Counting a text's tokens line by line, with a memory: between two keystrokes all lines but one are the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

REMEMBERED_LINES = 4096


class LineTokenCounter:
    """How many tokens a text is, the tokens of its lines added up: exact but for runs of blanks across line breaks,
    which the tokenizer may cut otherwise."""

    def __init__(self, encode: Callable[[str], Sequence[int]]) -> None:
        self._count = lru_cache(maxsize=REMEMBERED_LINES)(lambda line: len(encode(line)))

    def __call__(self, text: str) -> int:
        return sum(map(self._count, text.splitlines(keepends=True)))
