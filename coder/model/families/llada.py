"""LLaDA and LLaDA 1.5: trained from scratch as masked diffusion, full attention, every output predicts its own token.

Sources: arXiv:2502.09992 and 2505.19223; github.com/ML-GSAI/LLaDA (`generate.py`, `GUIDELINES.md`, its licence
section); `config.json` and `modeling_llada.py` of huggingface.co/GSAI-ML/LLaDA-8B-Base, whose names are OLMo's.
"""

from __future__ import annotations

from coder.model.families.family import Card, Family, PublishedModel, Settings

LLAMA_FIELDS = {
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


def recognises(card: Card) -> bool:
    return card.model_type == "llada"


def llama_settings(settings: Settings) -> Settings:
    """OLMo's fields under Llama's names; `embedding_size` is the one that counts the embedding's rows."""
    renamed = {LLAMA_FIELDS[field]: value for field, value in settings.items() if field in LLAMA_FIELDS}
    return {**settings, **{field: value for field, value in renamed.items() if value is not None}}


FAMILY = Family(
    name="llada",
    source="github.com/ML-GSAI/LLaDA, arXiv:2502.09992",
    recognises=recognises,
    llama_settings=llama_settings,
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
