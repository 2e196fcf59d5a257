"""Dream, Dream-Coder and DiffuCoder: Qwen2.5 turned into masked diffusion. Full attention; the output at a position
still predicts the next token.

Sources: arXiv:2508.15487 (Dream), 2509.01142 (Dream-Coder), 2506.20639 (DiffuCoder); github.com/HKUNLP/Dream,
DreamLM/Dream-Coder and apple/ml-diffucoder; `config.json`, `modeling_dream.py` and `generation_utils.py` (`_sample`,
its algorithm `entropy`) of huggingface.co/Dream-org/Dream-v0-Base-7B.
"""

from __future__ import annotations

from coder.model.families.family import Card, Family, PublishedModel

EXPAND = "<|expand|>"
"""DreamOn's token, by which it is told from the others: all have the same `model_type`."""


def is_dream(card: Card) -> bool:
    return card.model_type.lower() in ("dream", "dreamon")


def expands(card: Card) -> bool:
    return EXPAND in card.special or "expand_token_id" in card.settings


FAMILY = Family(
    name="dream",
    source="github.com/HKUNLP/Dream, arXiv:2508.15487",
    recognises=lambda card: is_dream(card) and not expands(card),
    shift=True,
    projection_bias=True,
    policy="proportional:entropy",
    models=(
        PublishedModel("Dream-org/Dream-v0-Base-7B", 7.6, "Apache-2.0"),
        PublishedModel("Dream-org/Dream-v0-Instruct-7B", 7.6, "Apache-2.0", "instruct"),
        PublishedModel("Dream-org/Dream-Coder-v0-Base-7B", 7.6, "Apache-2.0"),
        PublishedModel("Dream-org/Dream-Coder-v0-Instruct-7B", 7.6, "Apache-2.0", "instruct"),
        PublishedModel("apple/DiffuCoder-7B-Base", 7.6, "Apple (apple-amlr)"),
        PublishedModel("apple/DiffuCoder-7B-Instruct", 7.6, "Apple (apple-amlr)", "instruct"),
        PublishedModel("apple/DiffuCoder-7B-cpGRPO", 7.6, "Apple (apple-amlr)", "instruct"),
    ),
)
