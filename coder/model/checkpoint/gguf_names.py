"""Names and layouts of a Llama or Qwen2 decoder's tensors in GGUF (github.com/ggml-org/ggml, docs/gguf.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.errors import CheckpointError
from coder.model.checkpoint.gguf_file import GgufFile
from coder.model.checkpoint.stored_tensors import StoredTensor

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
    """Return whether the rows of a tensor, by its Hugging Face name, are queries or keys in an order of ggml's own.

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


@dataclass(frozen=True)
class InHalves(StoredTensor):
    """Queries or keys that are stored interleaved, with their rows in Hugging Face's order."""

    stored: StoredTensor
    head_dim: int

    def read(self, rows: slice = slice(None)) -> npt.NDArray[Any]:
        return in_halves(self.stored.read(), self.head_dim)[rows]


def tensors_of_gguf(file: GgufFile) -> dict[str, StoredTensor]:
    """The tensors of a Llama or Qwen2 decoder by their Hugging Face names, read in float32.

    Raises CheckpointError where queries or keys cannot be put in order.
    """
    architecture = file.value("general.architecture")
    tensors: dict[str, StoredTensor] = {}
    for theirs, tensor in file.tensors.items():
        name = from_gguf(theirs)
        tensors[name] = tensor
        if is_interleaved(name, architecture):
            head_dim = head_size(file)
            if len(tensor.shape) != 2 or tensor.shape[0] % head_dim:
                raise CheckpointError(f"{tensor.file}: {theirs} of shape {list(tensor.shape)} is not made of heads")
            tensors[name] = InHalves(tensor.file, "F32", tensor.shape, tensor.offset, tensor, head_dim)
    return tensors


def head_size(file: GgufFile) -> int:
    """Values of a head. Raises CheckpointError."""
    architecture = file.value("general.architecture")
    size = file.value(f"{architecture}.attention.key_length", None)
    if size is None:
        heads, hidden = (file.value(f"{architecture}.{key}") for key in ("attention.head_count", "embedding_length"))
        size = hidden // heads if type(heads) is int and type(hidden) is int and heads > 0 else 0
    if type(size) is not int or size <= 0 or size % 2:
        raise CheckpointError(f"{file.file}: heads of size {size!r} cannot be; download it again")
    return size
