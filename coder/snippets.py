"""Text of other files at the head of a prompt."""

from __future__ import annotations

from collections.abc import Sequence

from coder.completion import Snippet
from coder.model.prompt import file_header
from coder.model.tokens import Tokenizer

SNIPPET_TOKENS = 256
"""For all snippets together."""


def snippets_header(tokenizer: Tokenizer, snippets: Sequence[Snippet], budget: int = SNIPPET_TOKENS) -> list[int]:
    """The snippets in their order, in at most `budget` tokens: the least important ones, which come first, give way."""
    header: list[int] = []
    for snippet in reversed(snippets):
        tokens = file_header(tokenizer, snippet.path, snippet.text)
        if len(header) + len(tokens) > budget:
            break
        header = [*tokens, *header]
    return header
