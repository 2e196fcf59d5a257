"""Texts as runs of tokens: a token is a word or one other character, in lower case, so that layout does not matter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

TOKEN = re.compile(r"\w+|[^\w\s]")


def tokenize(text: str) -> list[str]:
    return TOKEN.findall(text.lower())


def ngrams(tokens: Sequence[str], length: int) -> Iterator[str]:
    """The runs of `length` tokens, each as one text; a shorter text is one run."""
    for start in range(max(1, len(tokens) - length + 1)):
        yield " ".join(tokens[start : start + length])
