"""A published model's tokenizer: byte-level BPE from `tokenizer.json`, or from the older files of Qwen2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import AddedToken, Regex, decoders, models, pre_tokenizers

from coder.errors import CheckpointError
from coder.model.checkpoint.files import read_json
from coder.model.checkpoint.tokenizer_file import read_tokenizer_file, with_control_tokens_marked

QWEN2_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""The words within which Qwen2's tokenizer merges bytes (transformers, `tokenization_qwen2.py`)."""


def read_tokenizer(folder: Path) -> tokenizers.Tokenizer:
    """Return the tokenizer of a checkpoint's folder. A text comes back from it as it was: nothing is normalised.

    Raises CheckpointError.
    """
    if (folder / "tokenizer.json").is_file():
        return read_tokenizer_file(folder / "tokenizer.json")
    if (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file():
        return with_control_tokens_marked(_qwen2_tokenizer(folder))
    raise CheckpointError(f"{folder} has neither a tokenizer.json nor vocab.json and merges.txt; download it again")


def read_settings(folder: Path) -> dict[str, Any]:
    """Return `tokenizer_config.json`, or nothing without it, with a chat template that is a file of its own."""
    file, template = folder / "tokenizer_config.json", folder / "chat_template.jinja"
    settings = read_json(file) if file.is_file() else {}
    if template.is_file():
        settings["chat_template"] = template.read_text(encoding="utf-8")
    return settings


def token_text(entry: object) -> str | None:
    """Return the text of a token as `tokenizer_config.json` names one: itself, or an object that holds it."""
    text = entry.get("content") if isinstance(entry, dict) else entry
    return text if isinstance(text, str) else None


def _qwen2_tokenizer(folder: Path) -> tokenizers.Tokenizer:
    try:
        model = models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt"))
    except Exception as error:  # the library raises nothing more specific
        raise CheckpointError(f"{folder}: vocab.json and merges.txt cannot be read ({error})") from error
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(  # pyright: ignore[reportAttributeAccessIssue]
        [
            pre_tokenizers.Split(Regex(QWEN2_WORDS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()  # pyright: ignore[reportAttributeAccessIssue]
    for number, text, special in _added_tokens(folder):
        added = AddedToken(text, special=special, normalized=False)
        (tokenizer.add_special_tokens if special else tokenizer.add_tokens)([added])
        if tokenizer.token_to_id(text) != number:
            raise CheckpointError(
                f"{folder}: {text} has the id {tokenizer.token_to_id(text)} behind vocab.json, but {number} in "
                "tokenizer_config.json; the two files belong to different checkpoints"
            )
    return tokenizer


def _added_tokens(folder: Path) -> list[tuple[int, str, bool]]:
    """Return id, text and whether it is special, in the order of the ids."""
    entries = read_settings(folder).get("added_tokens_decoder", {})
    found = [(int(number), token_text(entry), bool(entry.get("special"))) for number, entry in entries.items()]
    return sorted((number, text, special) for number, text, special in found if text is not None)
