"""The families that are known, and which of them a checkpoint belongs to."""

from __future__ import annotations

from coder.errors import CheckpointError
from coder.model.families import a2d, dream, dreamon, fast_dllm, llada, open_dcoder, sdar
from coder.model.families.family import Card, Family

FAMILIES: tuple[Family, ...] = (
    llada.FAMILY,
    dream.FAMILY,
    dreamon.FAMILY,
    open_dcoder.FAMILY,
    sdar.FAMILY,
    fast_dllm.FAMILY,
    *a2d.FAMILIES,
)


def family_of(card: Card) -> Family | None:
    """The family of a checkpoint, if it is known."""
    return next((family for family in FAMILIES if family.recognises(card)), None)


def unknown(card: Card) -> CheckpointError:
    """What to do about a checkpoint that is of no known family."""
    names = ", ".join(family.name for family in FAMILIES)
    if card.model_type == open_dcoder.MODEL_TYPE:
        remedy = (
            "this looks like an ordinary autoregressive Qwen2: a diffusion model's tokenizer has a mask token "
            f"({', '.join(open_dcoder.MASKS)}) among its special tokens"
        )
    else:
        remedy = (
            "name one that `quickfill models` lists, or write the file of a few lines that a new family is, in "
            "coder/model/families"
        )
    return CheckpointError(
        f"{card.name}: config.json says model_type {card.model_type!r}, which is neither a Llama with Quickfill's "
        f"settings nor of a known family ({names}); {remedy}"
    )
