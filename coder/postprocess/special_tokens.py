"""Control tokens spelled out, and bytes that are no character: never shown."""

from __future__ import annotations

import re

from coder.postprocess.context import PostprocessContext

SPELLED_OUT = re.compile(
    r"<\|\w{1,30}\|>|</?s>|<(?:fim_(?:prefix|middle|suffix|pad)|reponame|filename|gh_stars|file_sep|issue_\w+|jupyter_\w+)>"
)
UNREADABLE = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f\ufffd]")


def special_tokens(text: str, context: PostprocessContext) -> str | None:
    """The text up to the first control token that is spelled out, unless the buffer speaks of it too (a file about
    tokenizers does), or up to the first character that no editor should be given."""
    end = len(text)
    for token in SPELLED_OUT.finditer(text):
        if token.group() not in context.prefix and token.group() not in context.suffix:
            end = token.start()
            break
    unreadable = UNREADABLE.search(text, 0, end)
    return text[: unreadable.start() if unreadable else end]
