"""The families of published models: for each its sources, how it is recognised, read and decoded, and its models.

A new family is a `Family` here, and its place in `FAMILIES`.
"""

from __future__ import annotations

import re
from dataclasses import replace

from coder.errors import CheckpointError
from coder.model.checkpoint.architectures import ARCHITECTURES
from coder.model.families.family import CheckpointCard, Family, PublishedModel, Settings

LLADA_FIELDS = {
    "d_model": "hidden_size",
    "mlp_hidden_size": "intermediate_size",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "n_kv_heads": "num_key_value_heads",
    "embedding_size": "vocab_size",
    "max_sequence_length": "max_position_embeddings",
    "weight_tying": "tie_word_embeddings",
    "include_qkv_bias": "attention_bias",
    "include_bias": "mlp_bias",
}
"""Fields of OLMo's `config.json` and those of a Llama's; `embedding_size` counts the embedding's rows."""

EXPAND = "<|expand|>"
"""DreamOn's token for two masked slots, which tells it from Dream: both have the same `model_type`."""

QWEN2 = "qwen2"
OPEN_DCODER_MASKS = ("<M>", "[MASK]", "<|mask|>")
SDAR_BLOCK_SIZE = 4
LARGE_BLOCK_SIZE = 32
"""Tokens of a block of Fast-dLLM v2 and BD3LM."""


def _llada_settings(settings: Settings) -> Settings:
    renamed = {LLADA_FIELDS[field]: value for field, value in settings.items() if field in LLADA_FIELDS}
    return {**settings, **{field: value for field, value in renamed.items() if value is not None}}


def _is_dream(card: CheckpointCard) -> bool:
    return card.model_type.lower() in ("dream", "dreamon")


def _expands(card: CheckpointCard) -> bool:
    return EXPAND in card.special or "expand_token_id" in card.settings


def is_plain_qwen2(card: CheckpointCard) -> bool:
    """Return whether `config.json` is that of an ordinary Qwen2, which Open-dCoder's is too."""
    return card.model_type == QWEN2


def _is_open_dcoder(card: CheckpointCard) -> bool:
    architecture = ["Qwen2ForCausalLM"]
    is_decoder = is_plain_qwen2(card) and card.settings.get("architectures", architecture) == architecture
    return is_decoder and any(mask in card.special for mask in OPEN_DCODER_MASKS)


def _sdar_block_size(card: CheckpointCard) -> int:
    """Return the block size that `config.json` gives, else the name, else the default."""
    for field in ("block_size", "block_length"):
        if isinstance(size := card.settings.get(field), int):
            return size
    named = re.search(r"-b(\d+)$", card.name.rstrip("/"))
    return int(named[1]) if named else SDAR_BLOCK_SIZE


def _fast_dllm_block_size(card: CheckpointCard) -> int:
    size = card.settings.get("bd_size", LARGE_BLOCK_SIZE)
    return size if isinstance(size, int) else LARGE_BLOCK_SIZE


def _a2d_block_size(card: CheckpointCard) -> int | None:
    return LARGE_BLOCK_SIZE if "bd3lm" in card.name.lower() else None


LLADA = Family(
    name="llada",
    source="github.com/ML-GSAI/LLaDA, arXiv:2502.09992",
    recognises=lambda card: card.model_type == "llada",
    llama_settings=_llada_settings,
    renamed=(
        (r"^model\.transformer\.wte\.", "model.embed_tokens."),
        (r"^model\.transformer\.ln_f\.", "model.norm."),
        (r"^model\.transformer\.ff_out\.", "lm_head."),
        (r"^model\.transformer\.blocks\.", "model.layers."),
        (r"\.attn_norm\.", ".input_layernorm."),
        (r"\.(q|k|v)_proj\.", r".self_attn.\1_proj."),
        (r"\.attn_out\.", ".self_attn.o_proj."),
        (r"\.ff_norm\.", ".post_attention_layernorm."),
        (r"\.ff_proj\.", ".mlp.gate_proj."),
        (r"(?<!mlp)\.up_proj\.", ".mlp.up_proj."),
        (r"\.ff_out\.", ".mlp.down_proj."),
    ),
    mask=("<|mdm_mask|>",),
    ends=("<|endoftext|>", "<|eot_id|>"),
    policy="even",
    window=32,
    models=(
        PublishedModel("GSAI-ML/LLaDA-8B-Base", 8.0, "MIT"),
        PublishedModel("GSAI-ML/LLaDA-8B-Instruct", 8.0, "MIT", "instruct"),
        PublishedModel("GSAI-ML/LLaDA-1.5", 8.0, "MIT", "instruct"),
    ),
)
"""LLaDA and LLaDA 1.5: trained from scratch as masked diffusion, full attention, every output predicts its own token.

Sources: arXiv:2502.09992 and 2505.19223; github.com/ML-GSAI/LLaDA (`generate.py`, `GUIDELINES.md`, its licence
section); `config.json` and `modeling_llada.py` of huggingface.co/GSAI-ML/LLaDA-8B-Base, whose names are OLMo's.
"""

DREAM = Family(
    name="dream",
    source="github.com/HKUNLP/Dream, arXiv:2508.15487",
    recognises=lambda card: _is_dream(card) and not _expands(card),
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
"""Dream, Dream-Coder and DiffuCoder: Qwen2.5 turned into masked diffusion. Full attention; the output at a position
still predicts the next token.

Sources: arXiv:2508.15487 (Dream), 2509.01142 (Dream-Coder), 2506.20639 (DiffuCoder); github.com/HKUNLP/Dream,
DreamLM/Dream-Coder and apple/ml-diffucoder; `config.json`, `modeling_dream.py` and `generation_utils.py` (`_sample`,
its algorithm `entropy`) of huggingface.co/Dream-org/Dream-v0-Base-7B.
"""

DREAMON = replace(
    DREAM,
    name="dreamon",
    source="github.com/DreamLM/DreamOn, arXiv:2602.01326",
    recognises=lambda card: _is_dream(card) and _expands(card),
    expand=EXPAND,
    policy="even:entropy",
    ends=("<|endoftext|>",),
    models=(PublishedModel("Dream-org/DreamOn-v0-7B", 7.6, "Apache-2.0", "infilling"),),
)
"""DreamOn: Dream-Coder that finds a hole's length itself. A slot that gets `<|expand|>` becomes two masked ones, a slot
that gets the end of text goes away.

Sources: arXiv:2602.01326; github.com/DreamLM/DreamOn (`eval/generator.py`, `batch_generate_with_expand_as_token`);
huggingface.co/Dream-org/DreamOn-v0-7B.
"""

OPEN_DCODER = Family(
    name="open-dcoder",
    source="github.com/pengzhangzhi/Open-dLLM",
    recognises=_is_open_dcoder,
    shift=True,
    projection_bias=True,
    mask=OPEN_DCODER_MASKS,
    policy="proportional:entropy",
    models=(PublishedModel("fredzzp/open-dcoder-0.5B", 0.5, "see its card"),),
)
"""Open-dCoder (Open-dLLM): Qwen2.5-Coder 0.5B trained on as masked diffusion. Full attention; the output at a position
still predicts the next token. Its `config.json` is an ordinary Qwen2's, so the mask token in the tokenizer tells.

Sources: github.com/pengzhangzhi/Open-dLLM (`veomni/models/transformers/qwen2/generation_utils.py`,
`eval/eval_infill/eval_infill.py`; `tasks/train_torch.py` names the mask `<M>`);
huggingface.co/fredzzp/open-dcoder-0.5B. Its own default sampling, P2, takes back tokens it has fixed; here its other
published one is used, by entropy.
"""

SDAR = Family(
    name="sdar",
    source="github.com/JetAstra/SDAR, arXiv:2510.06303",
    recognises=lambda card: card.model_type == "sdar",
    block_size=_sdar_block_size,
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
"""SDAR and TraDo: Qwen3 (norms of queries and keys) trained on as block diffusion. Tokens see their block and those
before it; every output predicts its own token.

Sources: arXiv:2510.06303 (SDAR), 2509.06949 (TraDo); github.com/JetAstra/SDAR (`generate.py`, strategy
`low_confidence_dynamic`) and Gen-Verse/dLLM-RL (`models/sdar/modeling_sdar.py`); huggingface.co/JetLM/SDAR-8B-Chat and
Gen-Verse/TraDo-8B-Instruct. Blocks have 4 tokens, or as many as the model's name says (`-b16`).
"""

FAST_DLLM = Family(
    name="fast-dllm-v2",
    source="github.com/NVlabs/Fast-dLLM, arXiv:2509.26328",
    recognises=lambda card: card.model_type == "Fast_dLLM_Qwen",
    block_size=_fast_dllm_block_size,
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
"""Fast-dLLM v2: Qwen2.5-Instruct trained on as block diffusion with complementary masks. Tokens see their block (32)
and those before it; the output at a position still predicts the next token, so the first token of a block comes from
the pass that finished the block before.

Sources: arXiv:2509.26328; `config.json` (`bd_size`), `modeling.py` and the sampling of
huggingface.co/Efficient-Large-Model/Fast_dLLM_v2_7B: blocks are denoised in parts of 8 slots, from left to right.
"""


def _a2d(model_type: str, bias: bool, norms: bool, *hub_ids: str) -> Family:
    """Return Tiny-A2D of one architecture: what the library dllm makes of an autoregressive Qwen2, Qwen3 or Llama.

    As MDLM it has full attention, as BD3LM blocks; every output predicts its own token. Both have the same
    `config.json`, so the name tells them apart.

    Sources: arXiv:2602.22661; github.com/ZHZisZZ/dllm (`dllm/pipelines/a2d`, `dllm/core/samplers/mdlm.py` and
    `bd3lm.py`, `examples/a2d/README.md`); MDLM is arXiv:2406.07524, BD3LM 2503.09573. Its BD3LM sampler pads a prompt
    on the left to whole blocks; here blocks are counted from the prompt's start, as in its training, and a prompt may
    end inside one.

    Args:
        bias: whether queries, keys and values have biases. norms: whether heads have norms.
    """
    sizes = {hub_id: 0.6 if "0.6B" in hub_id else 0.5 for hub_id in hub_ids}
    return Family(
        name=model_type,
        source="github.com/ZHZisZZ/dllm, arXiv:2602.22661",
        recognises=lambda card: card.model_type == model_type,
        block_size=_a2d_block_size,
        projection_bias=bias,
        head_norms=norms,
        ends=("<|endoftext|>", "<|im_end|>", "<|eot_id|>"),
        policy="even",
        layout="chat",
        models=tuple(PublishedModel(hub_id, size, "Apache-2.0", "chat") for hub_id, size in sizes.items()),
    )


QWEN2_CODER = "dllm-hub/Qwen2.5-Coder-0.5B-Instruct-diffusion"
QWEN3 = "dllm-hub/Qwen3-0.6B-diffusion"

FAMILIES = (
    LLADA,
    DREAM,
    DREAMON,
    OPEN_DCODER,
    SDAR,
    FAST_DLLM,
    _a2d("a2d-qwen2", True, False, f"{QWEN2_CODER}-mdlm-v0.1", f"{QWEN2_CODER}-bd3lm-v0.1"),
    _a2d("a2d-qwen3", False, True, f"{QWEN3}-mdlm-v0.1", f"{QWEN3}-bd3lm-v0.1"),
    _a2d("a2d-llama", False, False),
)


NOT_RUN = {
    "gpt_bigcode": (
        "its positions are learned and its heads share one key (StarCoder, SantaCoder, Granite Code of 20B and 34B); "
        "choose StarCoder2, or Granite Code of 3B or 8B, whose decoders can be run"
    ),
}
"""Decoders that cannot be run of models that fill in the middle, by `model_type`: the reason, and what to do."""


def family_of(card: CheckpointCard) -> Family | None:
    """Return the family of a checkpoint, if it is known."""
    return next((family for family in FAMILIES if family.recognises(card)), None)


def unknown_family(card: CheckpointCard) -> CheckpointError:
    """Return the error for a checkpoint of no known family, with what to do about it."""
    names = ", ".join(family.name for family in FAMILIES)
    if card.model_type in ARCHITECTURES:
        remedy = (
            "this looks like an ordinary autoregressive decoder, but its tokenizer has no tokens for filling in the "
            f"middle and no mask token ({', '.join(OPEN_DCODER_MASKS)}); choose one that was trained on code with holes"
        )
    elif card.model_type in NOT_RUN:
        remedy = NOT_RUN[card.model_type]
    else:
        remedy = (
            "name one that `quickfill models` lists, or write the few lines that a new family is into "
            "coder/model/families/catalog.py"
        )
    return CheckpointError(
        f"{card.name}: config.json says model_type {card.model_type!r}, which is neither a checkpoint with Quickfill's "
        f"settings nor of a known family ({names}); {remedy}"
    )
