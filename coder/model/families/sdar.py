"""SDAR and TraDo: Qwen3 (norms of queries and keys) trained on as block diffusion. Tokens see their block and those
before it; every output predicts its own token.

Sources: arXiv:2510.06303 (SDAR), 2509.06949 (TraDo); github.com/JetAstra/SDAR (`generate.py`, strategy
`low_confidence_dynamic`) and Gen-Verse/dLLM-RL (`models/sdar/modeling_sdar.py`); huggingface.co/JetLM/SDAR-8B-Chat and
Gen-Verse/TraDo-8B-Instruct. Blocks have 4 tokens, or as many as the model's name says (`-b16`).
"""

from __future__ import annotations

import re

from coder.model.families.family import Card, Family, PublishedModel

DEFAULT_BLOCK_SIZE = 4


def block_size(card: Card) -> int:
    """What `config.json` says, else the name, else the default."""
    for field in ("block_size", "block_length"):
        if isinstance(size := card.settings.get(field), int):
            return size
    named = re.search(r"-b(\d+)$", card.name.rstrip("/"))
    return int(named[1]) if named else DEFAULT_BLOCK_SIZE


FAMILY = Family(
    name="sdar",
    source="github.com/JetAstra/SDAR, arXiv:2510.06303",
    recognises=lambda card: card.model_type == "sdar",
    block_size=block_size,
    head_norms=True,
    mask=("<|MASK|>",),
    policy="threshold:0.85",
    layout="chat",
    models=(
        PublishedModel("JetLM/SDAR-1.7B-Chat", 2.0, "Apache-2.0", "chat"),
        PublishedModel("JetLM/SDAR-4B-Chat", 4.4, "Apache-2.0", "chat"),
        PublishedModel("JetLM/SDAR-8B-Chat", 8.2, "Apache-2.0", "chat"),
        PublishedModel("Gen-Verse/TraDo-4B-Instruct", 4.4, "see its card", "instruct"),
        PublishedModel("Gen-Verse/TraDo-8B-Instruct", 8.2, "see its card", "instruct"),
    ),
)
