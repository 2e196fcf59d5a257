"""Room for the control tokens in the tokenizer of a checkpoint that has never seen them.

No embedding is added: they take ids that the vocabulary reserves and that code does not contain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from coder.errors import CheckpointError
from coder.model.checkpoint.tokens import CONTROL_TEXTS

TAKEN_OVER = {
    "<repo_name>": "repo",
    "<file_sep>": "file",
    "<issue_start>": "fim_prefix",
    "<issue_comment>": "fim_suffix",
    "<jupyter_start>": "hole",
    "<jupyter_text>": "cursor",
    "<jupyter_code>": "edit_before",
    "<jupyter_output>": "edit_after",
    "<jupyter_script>": "mask",
    "<empty_output>": "fim_middle",
    "<fim_prefix>": "fim_prefix",
    "<fim_suffix>": "fim_suffix",
    "<fim_middle>": "fim_middle",
    "<mask>": "mask",
}
"""Special tokens of known vocabularies, and which control token each becomes. The first ten are those of SmolLM2's
tokenizer."""


def with_control_tokens(tokenizer: Mapping[str, Any], vocab_size: int, kept: Sequence[int]) -> dict[str, Any]:
    """A parsed `tokenizer.json` in which every control token of the layout has an id.

    Args:
        vocab_size: rows of the embedding; ids that stand for nothing are taken too.
        kept: special ids that keep their meaning, the one that ends a text first.

    Raises:
        CheckpointError: the tokenizer is no byte-level BPE, or reserves too few ids.
    """
    model = tokenizer.get("model")
    if not isinstance(model, Mapping) or model.get("type") != "BPE" or not isinstance(model.get("vocab"), Mapping):
        raise CheckpointError("tokenizer.json is no byte-level BPE; only checkpoints with such a tokenizer fit")
    special = {token["content"]: token["id"] for token in tokenizer.get("added_tokens", ()) if token.get("special")}
    ids = _choose_ids(special, vocab_size, kept, set(model["vocab"].values()) | set(special.values()))
    renamed = {number: CONTROL_TEXTS[name] for name, number in ids.items()}
    old = [token for token in tokenizer.get("added_tokens", ()) if token["id"] not in renamed]
    new = [special_token(number, text) for number, text in renamed.items()]
    # All of them in the model's vocabulary too: ids of those that are not are counted on from its end.
    vocabulary = {text: number for text, number in model["vocab"].items() if number not in renamed}
    vocabulary |= {token["content"]: token["id"] for token in (*old, *new)}
    return {
        **tokenizer,
        "added_tokens": sorted([*old, *new], key=lambda token: token["id"]),
        "model": {**model, "vocab": dict(sorted(vocabulary.items(), key=lambda entry: entry[1]))},
    }


def _choose_ids(special: Mapping[str, int], vocab_size: int, kept: Sequence[int], used: set[int]) -> dict[str, int]:
    """An id for each control token: the one it has, that of a token which becomes it, or a spare one. What ends a text
    ends a middle too."""
    ids = {name: special[text] for name, text in CONTROL_TEXTS.items() if text in special}
    if "end_of_text" not in ids and kept:
        ids["end_of_text"] = kept[0]
    for text, name in TAKEN_OVER.items():
        if name not in ids and special.get(text, -1) not in (-1, *kept, *ids.values()):
            ids[name] = special[text]
    spare = [number for number in sorted(special.values()) if number not in kept and number not in ids.values()]
    spare += sorted(set(range(vocab_size)) - used)
    missing = [name for name in CONTROL_TEXTS if name not in (*ids, "fim_end")]
    if len(missing) > len(spare):
        raise CheckpointError(
            f"the vocabulary has {len(spare)} spare ids, and {len(missing)} control tokens need one; give a "
            "tokenizer.json with that many special tokens more (--tokenizer FILE)"
        )
    return ids | dict(zip(missing, spare, strict=False))


def special_token(number: int, text: str) -> dict[str, Any]:
    """An entry of `added_tokens` in a `tokenizer.json`."""
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": number, "content": text, **flags, "special": True}
