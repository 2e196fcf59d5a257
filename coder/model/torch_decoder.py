"""The Llama decoder in plain PyTorch, of any size: the reference, what runs on GPUs, and what is trained.

Grouped-query attention, rotary positions (half-split, as Hugging Face lays them out), SwiGLU, RMSNorm. What a position
sees is the caller's: an attention function is passed in, which may add a cache, a dense mask or FlexAttention.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from coder.model.checkpoint import Checkpoint
from coder.model.config import ModelConfig
from coder.model.torch_import import torch

Tensor = torch.Tensor
functional = torch.nn.functional

Attend = Callable[[int, Tensor, Tensor, Tensor], Tensor]
"""(layer, queries [rows, heads, M, head_dim], keys and values [rows, key_value_heads, M, head_dim]) -> [rows, heads, M,
head_dim], with rotary positions already in queries and keys."""

Rotation = tuple[Tensor, Tensor]
"""Cosines and sines, each [rows, 1, M, head_dim / 2]."""


class Decoder(torch.nn.Module):
    """Tokens to hidden states; `logits` turns those into predictions of the next token."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = torch.nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = torch.nn.ModuleList(Layer(config) for _ in range(config.num_layers))
        self.norm = torch.nn.RMSNorm(config.hidden_size, config.norm_epsilon)
        self.head = None if config.tied_embeddings else _matrix(config.hidden_size, config.vocab_size)

    @staticmethod
    def from_checkpoint(checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype) -> Decoder:
        """Load one tensor after the other, dequantised, so that little more than the model is ever in memory."""
        with torch.device("meta"):
            decoder = Decoder(checkpoint.config).to(dtype)
        decoder.to_empty(device=device)
        with torch.no_grad():
            for name, target in decoder.checkpoint_tensors().items():
                target.copy_(torch.tensor(checkpoint.float_tensor(name)))
        return decoder

    def checkpoint_tensors(self) -> dict[str, Tensor]:
        """The parameters under the names and in the shapes of a checkpoint: views, so writing to them loads them."""
        tensors = {"model.embed_tokens.weight": self.embedding.weight, "model.norm.weight": self.norm.weight}
        for index, layer in enumerate(self.layers):
            assert isinstance(layer, Layer)
            tensors |= {f"model.layers.{index}.{name}": tensor for name, tensor in layer.checkpoint_tensors().items()}
        if self.head is not None:
            tensors["lm_head.weight"] = self.head.weight
        return tensors

    def forward(self, tokens: Tensor, positions: Tensor, attend: Attend) -> Tensor:
        """Hidden states [rows, M, hidden_size] of int64 `tokens` [rows, M] at RoPE `positions` [rows, M]."""
        hidden = self.embedding(tokens)
        rotation = self._rotation(positions, hidden.dtype)
        for index, layer in enumerate(self.layers):
            hidden = layer(hidden, rotation, partial(attend, index))
        return self.norm(hidden)

    def logits(self, hidden: Tensor) -> Tensor:
        """Logits [..., vocab_size] of the next token, for hidden states [..., hidden_size]."""
        return functional.linear(hidden, (self.head or self.embedding).weight)

    def _rotation(self, positions: Tensor, dtype: torch.dtype) -> Rotation:
        """Computed in float32 whatever the model's format, since bfloat16 cannot count beyond 256."""
        dimensions = torch.arange(0, self.config.head_dim, 2, device=positions.device, dtype=torch.float32)
        frequencies = self.config.rope_theta ** (-dimensions / self.config.head_dim)
        angles = positions[:, None, :, None].float() * frequencies
        return angles.cos().to(dtype), angles.sin().to(dtype)


class Layer(torch.nn.Module):
    """One decoder layer, in two parts around the attention, with the matrices that share an input fused."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.head_dim = config.head_dim
        self.heads = [config.num_heads, config.num_key_value_heads, config.num_key_value_heads]
        self.attention_norm = torch.nn.RMSNorm(config.hidden_size, config.norm_epsilon)
        self.query_key_value = _matrix(config.hidden_size, sum(self.heads) * config.head_dim)
        self.output = _matrix(config.num_heads * config.head_dim, config.hidden_size)
        self.mlp_norm = torch.nn.RMSNorm(config.hidden_size, config.norm_epsilon)
        self.gate_up = _matrix(config.hidden_size, 2 * config.intermediate_size)
        self.down = _matrix(config.intermediate_size, config.hidden_size)

    def checkpoint_tensors(self) -> dict[str, Tensor]:
        query, key, value = self.query_key_value.weight.split([count * self.head_dim for count in self.heads])
        gate, up = self.gate_up.weight.chunk(2)
        return {
            "input_layernorm.weight": self.attention_norm.weight,
            "self_attn.q_proj.weight": query,
            "self_attn.k_proj.weight": key,
            "self_attn.v_proj.weight": value,
            "self_attn.o_proj.weight": self.output.weight,
            "post_attention_layernorm.weight": self.mlp_norm.weight,
            "mlp.gate_proj.weight": gate,
            "mlp.up_proj.weight": up,
            "mlp.down_proj.weight": self.down.weight,
        }

    def forward(self, hidden: Tensor, rotation: Rotation, attend: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Tensor:
        """Hidden states [rows, M, hidden_size] after the layer; `attend` is its attention, see `Attend`."""
        return self.combine(hidden, attend(*self.project(hidden, rotation)))

    def project(self, hidden: Tensor, rotation: Rotation) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values [rows, heads, M, head_dim], the first two rotated."""
        rows, length, _ = hidden.shape
        projected = self.query_key_value(self.attention_norm(hidden)).view(rows, length, -1, self.head_dim)
        queries, keys, values = projected.transpose(1, 2).split(self.heads, dim=1)
        return _rotate(queries, rotation), _rotate(keys, rotation), values

    def combine(self, hidden: Tensor, attended: Tensor) -> Tensor:
        """Join what attention [rows, heads, M, head_dim] found, then the feed-forward network."""
        hidden = hidden + self.output(attended.transpose(1, 2).flatten(2))
        gate, up = self.gate_up(self.mlp_norm(hidden)).chunk(2, dim=-1)
        return hidden + self.down(functional.silu(gate) * up)


def masked_attention(mask: Tensor) -> Attend:
    """Attention among the M positions alone. `mask` is bool [M, M] or [rows, 1, M, M], True where a query (row) sees a
    key (column)."""
    return lambda _, queries, keys, values: grouped_attention(queries, keys, values, mask)


def grouped_attention(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    """Attention of queries [rows, heads, M, head_dim] to keys and values [rows, key_value_heads, N, head_dim].

    The query heads that share a key head are laid out as further queries of it: no copies of keys and values, and any
    fused kernel serves (GQA, arXiv 2305.13245). `mask` is bool, [M, N] or [rows, 1, M, N].
    """
    rows, heads, length, head_dim = queries.shape
    group = heads // keys.shape[1]
    folded = queries.reshape(rows, keys.shape[1], group * length, head_dim)
    attended = functional.scaled_dot_product_attention(
        folded, keys, values, attn_mask=torch.cat([mask] * group, dim=-2)
    )
    return attended.view(rows, heads, length, head_dim)


def _rotate(heads: Tensor, rotation: Rotation) -> Tensor:
    """RoPE (RoFormer, arXiv 2104.09864), pairing each dimension of the first half with its like in the second."""
    (first, second), (cosine, sine) = heads.chunk(2, dim=-1), rotation
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)


def _matrix(inputs: int, outputs: int) -> torch.nn.Linear:
    return torch.nn.Linear(inputs, outputs, bias=False)
