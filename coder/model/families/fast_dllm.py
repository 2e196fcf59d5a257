"""Fast-dLLM v2: Qwen2.5-Instruct trained on as block diffusion with complementary masks. Tokens see their block (32)
and those before it; the output at a position still predicts the next token, so the first token of a block comes from
the pass that finished the block before.

Sources: arXiv:2509.26328; `config.json` (`bd_size`), `modeling.py` and the sampling of
huggingface.co/Efficient-Large-Model/Fast_dLLM_v2_7B: blocks are denoised in parts of 8 slots, from left to right.
"""

from __future__ import annotations

from coder.model.families.family import Card, Family, PublishedModel

DEFAULT_BLOCK_SIZE = 32


def block_size(card: Card) -> int:
    size = card.settings.get("bd_size", DEFAULT_BLOCK_SIZE)
    return size if isinstance(size, int) else DEFAULT_BLOCK_SIZE


FAMILY = Family(
    name="fast-dllm-v2",
    source="github.com/NVlabs/Fast-dLLM, arXiv:2509.26328",
    recognises=lambda card: card.model_type == "Fast_dLLM_Qwen",
    block_size=block_size,
    shift=True,
    projection_bias=True,
    mask=("|<MASK>|",),
    policy="threshold:0.95",
    window=8,
    layout="chat",
    models=(
        PublishedModel("Efficient-Large-Model/Fast_dLLM_v2_1.5B", 1.5, "Apache-2.0", "instruct"),
        PublishedModel("Efficient-Large-Model/Fast_dLLM_v2_7B", 7.6, "Apache-2.0", "instruct"),
    ),
)
