"""A checkpoint's tokenizer as its file has it, but that control tokens spelled out in a text stay text."""

from __future__ import annotations

import re
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, normalizers

from coder.errors import CheckpointError

CONTROL = re.compile(r"<\|.+\|>|<\uff5c.+\uff5c>|<(?:fim_\w+|repo_?name|file_sep|filename|mask)>")
"""Control tokens as Qwen2, DeepSeek and StarCoder write them."""


def read_tokenizer_file(file: Path) -> tokenizers.Tokenizer:
    """A `tokenizer.json`, whatever is in it, its control tokens marked. Raises CheckpointError."""
    if not file.is_file():
        raise CheckpointError(f"{file} is missing: a checkpoint needs its tokenizer.json")
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises nothing more specific
        raise CheckpointError(f"{file} is not a tokenizer that can be read ({error}); download it again") from error
    return with_control_tokens_marked(tokenizer)


def with_control_tokens_marked(tokenizer: tokenizers.Tokenizer) -> tokenizers.Tokenizer:
    """Make a tokenizer give texts back as they are, and control tokens of a text stay text; return it.

    Published tokenizers mark few of their control tokens as special: the others would be read out of a user's text.
    """
    if isinstance(tokenizer.normalizer, normalizers.NFC):
        # Qwen's composes accents, which changes a user's text; code is composed anyway.
        tokenizer.normalizer = None  # pyright: ignore[reportAttributeAccessIssue]
    control = [token for token in tokenizer.get_added_tokens_decoder().values() if is_control(token.content)]
    tokenizer.add_special_tokens([AddedToken(token.content, special=True, normalized=False) for token in control])
    return tokenizer


def is_control(text: str) -> bool:
    """Return whether a token is written like a control token; not all of them are marked as such."""
    return CONTROL.fullmatch(text) is not None
