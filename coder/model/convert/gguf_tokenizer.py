"""The vocabulary in a GGUF file: byte-level BPE, from a `tokenizer.json` and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from coder.errors import CheckpointError
from coder.model.checkpoint.checkpoint import Checkpoint

if TYPE_CHECKING:
    import gguf


class TokenType(IntEnum):
    """Kinds of tokens, as GGUF numbers them."""

    NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5


BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}

QWEN2_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

PRE_TOKENIZERS: dict[str, list[dict[str, Any]]] = {
    "smollm": [{"type": "Digits", "individual_digits": True}, BYTE_LEVEL],
    "starcoder": [{"type": "Digits", "individual_digits": True}, BYTE_LEVEL],
    "refact": [{"type": "Digits", "individual_digits": True}, BYTE_LEVEL],
    "gpt-2": [BYTE_LEVEL],
    "qwen2": [
        {"type": "Split", "pattern": {"Regex": QWEN2_PATTERN}, "behavior": "Isolated", "invert": False},
        {**BYTE_LEVEL, "use_regex": False},
    ],
}
"""The ways to split a text before BPE, by llama.cpp's names for them."""


def add_vocabulary(writer: gguf.GGUFWriter, checkpoint: Checkpoint) -> None:
    """Raises CheckpointError when GGUF has no name for the way a text is cut before BPE."""
    tokenizer = json.loads(checkpoint.tokenizer_file.read_bytes())
    vocabulary = tokenizer["model"]["vocab"] | {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    by_id = {number: text for text, number in vocabulary.items()}
    control = checkpoint.config.control
    ids = range(checkpoint.config.vocab_size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre_tokenizer_name(tokenizer["pre_tokenizer"]))
    writer.add_token_list([by_id.get(number, f"<unused {number}>") for number in ids])
    writer.add_token_types([_token_type(number in by_id, number in control.all) for number in ids])
    writer.add_token_merges(
        [merge if isinstance(merge, str) else " ".join(merge) for merge in tokenizer["model"]["merges"]]
    )
    writer.add_bos_token_id(control.end_of_text)
    writer.add_eos_token_id(control.fim_end if checkpoint.config.adapted else control.end_of_text)
    writer.add_add_bos_token(False)


def pre_tokenizer_name(pre_tokenizer: Mapping[str, Any]) -> str:
    """Return llama.cpp's name for a way to split a text before BPE.

    Raises CheckpointError for one that it has no name for.
    """
    parts = pre_tokenizer.get("pretokenizers", [pre_tokenizer])
    for name, known in PRE_TOKENIZERS.items():
        if len(parts) == len(known) and all(map(_is_alike, parts, known)):
            return name
    raise CheckpointError("tokenizer.json cuts texts in a way that GGUF files of this project have no name for")


def _is_alike(part: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    return part["type"] == known["type"] and part.get("pattern") == known.get("pattern")


def tokenizer_json(texts: Sequence[str], types: Sequence[int], merges: Sequence[str], pre: str) -> dict[str, Any]:
    """A `tokenizer.json` of tokens in the order of their ids, with their GGUF types, and merges."""
    used = {text: number for number, text in enumerate(texts) if types[number] != TokenType.UNUSED}
    added = (TokenType.CONTROL, TokenType.USER_DEFINED)
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": number, "content": text, **flags, "special": types[number] == TokenType.CONTROL}
            for text, number in used.items()
            if types[number] in added
        ],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": PRE_TOKENIZERS[pre]},
        "post_processor": None,
        "decoder": {**BYTE_LEVEL, "add_prefix_space": True},
        "model": {
            "type": "BPE",
            **dict.fromkeys(("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix")),
            **dict.fromkeys(("fuse_unk", "byte_fallback", "ignore_merges"), False),
            "vocab": used,
            "merges": [merge.split(" ") for merge in merges],
        },
    }


def _token_type(used: bool, control: bool) -> TokenType:
    if not used:
        return TokenType.UNUSED
    return TokenType.CONTROL if control else TokenType.NORMAL
