"""Names and layouts of a decoder's tensors in GGUF (github.com/ggml-org/ggml, docs/gguf.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.errors import CheckpointError
from coder.model.checkpoint.architectures import ARCHITECTURES, FeedForward
from coder.model.checkpoint.gguf_file import GgufFile
from coder.model.checkpoint.stored_tensors import StoredTensor

WHOLE_MODEL = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
IN_A_LAYER = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
}
"""Without the layer's number. Both without `.weight` or `.bias`."""

OURS_WHOLE = {theirs: ours for ours, theirs in WHOLE_MODEL.items()}


def to_gguf(name: str, network: FeedForward) -> str:
    """GGUF's name of one of `expected_tensors`."""
    part, _, kind = name.rpartition(".")
    if part in WHOLE_MODEL:
        return f"{WHOLE_MODEL[part]}.{kind}"
    _, _, number, part = part.split(".", 3)
    return f"blk.{number}.{_in_a_layer(network)[part]}.{kind}"


def from_gguf(name: str, network: FeedForward) -> str:
    """The Hugging Face name of a tensor; a tensor that no such decoder has keeps its own."""
    part, _, kind = name.rpartition(".")
    if part in OURS_WHOLE:
        return f"{OURS_WHOLE[part]}.{kind}"
    ours = {theirs: ours for ours, theirs in _in_a_layer(network).items()}
    match = re.fullmatch(r"blk\.(\d+)\.(\w+)", part)
    return f"model.layers.{match[1]}.{ours[match[2]]}.{kind}" if match and match[2] in ours else name


def _in_a_layer(network: FeedForward) -> dict[str, str]:
    gate = {} if network.gate is None else {f"mlp.{network.gate}": "ffn_gate"}
    return {**IN_A_LAYER, **gate, f"mlp.{network.up}": "ffn_up", f"mlp.{network.down}": "ffn_down"}


def is_interleaved(name: str, architecture: str) -> bool:
    """Return whether the rows of a tensor, by its Hugging Face name, are queries or keys in an order of ggml's own.

    Only of Llama: of the others ggml rotates the halves of a head against each other, as Hugging Face does.
    """
    return architecture == "llama" and re.search(r"[qk]_proj\.(weight|bias)$", name) is not None


def interleaved(values: npt.NDArray[np.float32], head_dim: int) -> npt.NDArray[np.float32]:
    """Rows, or a bias of theirs, in ggml's order: Hugging Face rotates the halves of a head against each other, ggml
    neighbouring rows."""
    return values.reshape(-1, 2, head_dim // 2, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)


def in_halves(values: npt.NDArray[np.float32], head_dim: int) -> npt.NDArray[np.float32]:
    """The inverse of `interleaved`."""
    return values.reshape(-1, head_dim // 2, 2, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)


@dataclass(frozen=True)
class InHalves(StoredTensor):
    """Queries or keys that are stored interleaved, with their rows in Hugging Face's order."""

    stored: StoredTensor
    head_dim: int

    def read(self, rows: slice = slice(None)) -> npt.NDArray[Any]:
        wanted = range(self.shape[0])[rows]
        first = wanted.start // self.head_dim * self.head_dim
        heads = slice(first, -(-wanted.stop // self.head_dim) * self.head_dim)
        return in_halves(self.stored.read(heads), self.head_dim)[wanted.start - first : wanted.stop - first]


def tensors_of_gguf(file: GgufFile) -> dict[str, StoredTensor]:
    """The tensors of a decoder by their Hugging Face names, read in float32.

    Raises CheckpointError for an architecture that cannot be run, and where queries or keys cannot be put in order.
    """
    architecture = gguf_architecture(file)
    network = ARCHITECTURES[architecture].feed_forward
    tensors: dict[str, StoredTensor] = {}
    for theirs, tensor in file.tensors.items():
        name = from_gguf(theirs, network)
        tensors[name] = tensor
        if is_interleaved(name, architecture):
            head_dim = head_size(file)
            rows, *columns = tensor.shape
            if len(columns) > 1 or rows % head_dim:
                raise CheckpointError(f"{tensor.file}: {theirs} of shape {list(tensor.shape)} is not made of heads")
            tensors[name] = InHalves(tensor.file, "F32", tensor.shape, tensor.offset, tensor, head_dim)
    return tensors


def gguf_architecture(file: GgufFile) -> str:
    """GGUF's name of the architecture, the `model_type` of transformers. Raises CheckpointError for an unknown one."""
    architecture = str(file.value("general.architecture"))
    if architecture not in ARCHITECTURES:
        raise CheckpointError(
            f"{file.file} holds a decoder of architecture {architecture!r}; only {', '.join(ARCHITECTURES)} fit"
        )
    return architecture


def head_size(file: GgufFile) -> int:
    """Values of a head. Raises CheckpointError."""
    architecture = gguf_architecture(file)
    size = file.value(f"{architecture}.attention.key_length", None)
    if size is None:
        heads, hidden = (file.value(f"{architecture}.{key}") for key in ("attention.head_count", "embedding_length"))
        size = hidden // heads if type(heads) is int and type(hidden) is int and heads > 0 else 0
    if type(size) is not int or size <= 0 or size % 2:
        raise CheckpointError(f"{file.file}: heads of size {size!r} cannot be; download it again")
    return size
