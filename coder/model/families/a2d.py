"""Tiny-A2D: what the library dllm makes of an autoregressive Qwen2, Qwen3 or Llama. As MDLM it has full attention, as
BD3LM blocks; every output predicts its own token. Both have the same `config.json`, so the name tells them apart.

Sources: arXiv:2602.22661; github.com/ZHZisZZ/dllm (`dllm/pipelines/a2d`, `dllm/core/samplers/mdlm.py` and `bd3lm.py`,
`examples/a2d/README.md`); MDLM is arXiv:2406.07524, BD3LM 2503.09573. Its BD3LM sampler pads a prompt on the left to
whole blocks; here blocks are counted from the prompt's start, as in its training, and a prompt may end inside one.
"""

from __future__ import annotations

from coder.model.families.family import Card, Family, PublishedModel

BLOCK_SIZE = 32

KINDS = {"a2d-qwen2": (True, False), "a2d-qwen3": (False, True), "a2d-llama": (False, False)}
"""Of each `model_type`: whether queries, keys and values have biases, and whether heads have norms."""

MODELS = {
    "a2d-qwen3": (
        PublishedModel("dllm-hub/Qwen3-0.6B-diffusion-mdlm-v0.1", 0.6, "Apache-2.0", "chat"),
        PublishedModel("dllm-hub/Qwen3-0.6B-diffusion-bd3lm-v0.1", 0.6, "Apache-2.0", "chat"),
    ),
    "a2d-qwen2": (
        PublishedModel("dllm-hub/Qwen2.5-Coder-0.5B-Instruct-diffusion-mdlm-v0.1", 0.5, "Apache-2.0", "chat"),
        PublishedModel("dllm-hub/Qwen2.5-Coder-0.5B-Instruct-diffusion-bd3lm-v0.1", 0.5, "Apache-2.0", "chat"),
    ),
}


def block_size(card: Card) -> int | None:
    """None for MDLM."""
    return BLOCK_SIZE if "bd3lm" in card.name.lower() else None


def _family(model_type: str) -> Family:
    bias, norms = KINDS[model_type]
    return Family(
        name=model_type,
        source="github.com/ZHZisZZ/dllm, arXiv:2602.22661",
        recognises=lambda card: card.model_type == model_type,
        block_size=block_size,
        projection_bias=bias,
        head_norms=norms,
        ends=("<|endoftext|>", "<|im_end|>", "<|eot_id|>"),
        policy="even",
        layout="chat",
        models=MODELS.get(model_type, ()),
    )


FAMILIES = tuple(map(_family, KINDS))
