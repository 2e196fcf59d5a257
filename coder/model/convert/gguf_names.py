"""Names and layouts of a Llama or Qwen2 decoder's tensors in GGUF (github.com/ggml-org/ggml, docs/gguf.md)."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

WHOLE_MODEL = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
IN_A_LAYER = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
"""Without the layer's number and `.weight` or `.bias`."""

OURS_WHOLE = {theirs: ours for ours, theirs in WHOLE_MODEL.items()}
OURS_IN_A_LAYER = {theirs: ours for ours, theirs in IN_A_LAYER.items()}


def to_gguf(name: str) -> str:
    """GGUF's name of one of `expected_tensors`."""
    if name in WHOLE_MODEL:
        return WHOLE_MODEL[name]
    _, _, number, *part, kind = name.split(".")
    return f"blk.{number}.{IN_A_LAYER['.'.join(part)]}.{kind}"


def from_gguf(name: str) -> str:
    """The Hugging Face name of a tensor; a tensor that no such decoder has keeps its own."""
    match = re.fullmatch(r"blk\.(\d+)\.(\w+)\.(weight|bias)", name)
    if match and match[2] in OURS_IN_A_LAYER:
        return f"model.layers.{match[1]}.{OURS_IN_A_LAYER[match[2]]}.{match[3]}"
    return OURS_WHOLE.get(name, name)


def is_interleaved(name: str, architecture: str) -> bool:
    """Whether the rows of a tensor, by its Hugging Face name, are queries or keys in an order of ggml's own.

    Only of Llama: of Qwen2 ggml rotates the halves of a head against each other, as Hugging Face does.
    """
    return architecture == "llama" and name.endswith(("q_proj.weight", "k_proj.weight"))


def interleaved(values: npt.NDArray[np.float32], head_dim: int) -> npt.NDArray[np.float32]:
    """Rows in ggml's order: Hugging Face rotates the halves of a head against each other, ggml neighbouring rows."""
    rows, columns = values.shape
    return values.reshape(rows // head_dim, 2, head_dim // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def in_halves(values: npt.NDArray[np.float32], head_dim: int) -> npt.NDArray[np.float32]:
    """The inverse of `interleaved`."""
    rows, columns = values.shape
    return values.reshape(rows // head_dim, head_dim // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)
