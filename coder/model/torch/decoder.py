"""The decoder in plain PyTorch, of any size: the reference, what runs on GPUs, and what is trained.

Grouped-query attention and rotary positions (half-split, as Hugging Face lays them out); norms, biases and the
feed-forward network are as the configuration's `LayerForm` says. What a position sees is the caller's: an attention
function is passed in, which may add a cache, a dense mask or FlexAttention.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache, partial

from coder.model.checkpoint.checkpoint import FIRST_LOCAL_TOKEN, LOCAL, LOCAL_EPSILON, Checkpoint
from coder.model.checkpoint.config import ModelConfig
from coder.model.torch.requirement import torch

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
        self.norm = _norm(config)
        self.head = None if config.tied_embeddings else _matrix(config.hidden_size, config.vocab_size)
        self.local = LocalAutoregression(config) if config.local_width else None

    @staticmethod
    def empty(config: ModelConfig, dtype: torch.dtype) -> Decoder:
        """One whose parameters have no memory yet; see `parts` and `fill`."""
        with torch.device("meta"):
            return Decoder(config).to(dtype)

    @staticmethod
    def from_checkpoint(checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype) -> Decoder:
        """Load one part of a tensor after the other, dequantised, so that little more than the model is ever in
        memory."""
        decoder = Decoder.empty(checkpoint.config, dtype)
        for name, part in decoder.parts().items():
            part.to_empty(device=device)
            decoder.fill(name, checkpoint)
        return decoder

    def parts(self) -> dict[str, torch.nn.Module]:
        """Return the modules that may lie on different devices, by name, in the order of use."""
        layers = {f"layers.{index}": layer for index, layer in enumerate(self.layers)}
        head = {} if self.head is None else {"head": self.head}
        local = {} if self.local is None else {"local": self.local}
        return {"embedding": self.embedding, **layers, "norm": self.norm, **head, **local}

    @property
    def layer_devices(self) -> list[torch.device]:
        return [layer.get_submodule("attention_norm").get_parameter("weight").device for layer in self.layers]

    @torch.no_grad()
    def fill(self, part: str, checkpoint: Checkpoint) -> None:
        """Load a part's parameters, which have memory, from a checkpoint."""
        for name, target in self.part_tensors(part).items():
            for rows, values in checkpoint.chunks(name):
                # Torch wants what can be written to, which a map of the file cannot.
                target[rows].copy_(torch.from_numpy(values if values.flags.writeable else values.copy()))

    def part_tensors(self, part: str) -> dict[str, Tensor]:
        """The parameters of a part under the names and in the shapes of a checkpoint: views, so writing to them loads
        them."""
        module = self.parts()[part]
        if isinstance(module, Layer):
            return {f"model.{part}.{name}": tensor for name, tensor in module.checkpoint_tensors().items()}
        if isinstance(module, LocalAutoregression):
            return {f"{LOCAL}{name}": tensor for name, tensor in module.checkpoint_tensors().items()}
        names = {"embedding": "model.embed_tokens", "norm": "model.norm", "head": "lm_head"}
        return {f"{names[part]}.{name}": tensor for name, tensor in module.named_parameters()}

    def checkpoint_tensors(self) -> dict[str, Tensor]:
        """All of them."""
        return {name: tensor for part in self.parts() for name, tensor in self.part_tensors(part).items()}

    def forward(self, tokens: Tensor, positions: Tensor, attend: Attend) -> Tensor:
        """Hidden states [rows, M, hidden_size] of int64 `tokens` [rows, M] at RoPE `positions` [rows, M]."""
        hidden = self.embedding(tokens)
        rotation = self._rotation(positions, hidden.dtype)
        for index, layer in enumerate(self.layers):
            assert isinstance(layer, Layer)
            if hidden.device != (device := layer.attention_norm.weight.device):  # layers spread over devices
                hidden, rotation = hidden.to(device), (rotation[0].to(device), rotation[1].to(device))
            hidden = layer(hidden, rotation, partial(attend, index))
        return self.norm(hidden.to(self.norm.weight.device))

    def logits(self, hidden: Tensor) -> Tensor:
        """Logits [..., vocab_size] of the next token, for hidden states [..., hidden_size]."""
        weight = (self.head or self.embedding).weight
        return functional.linear(hidden.to(weight.device), weight)

    def local_states(self, states: Tensor, before: Tensor) -> Tensor:
        """States [W, hidden_size] for `logits`, of slots whose two tokens before are int64 `before` [W, 2]; see
        `runtime.LocalStep`."""
        assert self.local is not None
        table = self.embedding.weight
        before = before.to(table.device)
        return self.local(states.to(table.device), functional.embedding(before, table) * self.local_scale)

    @cached_property
    def local_scale(self) -> float:
        """Return the factor that brings the embeddings of ordinary tokens to a standard deviation of 1."""
        ordinary = self.embedding.weight[FIRST_LOCAL_TOKEN:].float()
        return 1.0 / ordinary.std(correction=0).item()

    def _rotation(self, positions: Tensor, dtype: torch.dtype) -> Rotation:
        """Computed in float32 whatever the model's format, since bfloat16 cannot count beyond 256."""
        rope = self.config.rope
        frequencies = rope.frequencies(self.config.rope_theta, self.config.head_dim)
        angles = positions[:, None, :, None].float() * _frequencies(tuple(frequencies.tolist()), positions.device)
        return (angles.cos() * rope.amplitude).to(dtype), (angles.sin() * rope.amplitude).to(dtype)


class LocalAutoregression(torch.nn.Module):
    """h + W2 silu(W1 [rms(h); e(x-1); e(x-2)] + b1); see `runtime.LocalStep`."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.inner = torch.nn.Linear(3 * config.hidden_size, config.local_width)
        self.outer = _matrix(config.local_width, config.hidden_size)

    def checkpoint_tensors(self) -> dict[str, Tensor]:
        return {"W1": self.inner.weight, "b1": self.inner.bias, "W2": self.outer.weight}

    def forward(self, states: Tensor, before: Tensor) -> Tensor:
        """States [W, hidden_size], from those and the embeddings `before` [W, 2, hidden_size]."""
        normed = functional.rms_norm(states.float(), states.shape[-1:], eps=LOCAL_EPSILON).to(states.dtype)
        inner = self.inner(torch.cat([normed, before.flatten(1)], dim=-1))
        return states + self.outer(functional.silu(inner))


class Layer(torch.nn.Module):
    """One decoder layer, in two parts around the attention, with the matrices that share an input fused."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.head_dim = config.head_dim
        self.heads = [config.num_heads, config.num_key_value_heads, config.num_key_value_heads]
        form, hidden, inner = config.layers, config.hidden_size, config.intermediate_size
        self.form = form
        self.attention_norm = _norm(config)
        width = sum(self.heads) * config.head_dim
        self.query_key_value = torch.nn.Linear(hidden, width, bias=form.projection_bias)
        norms = (torch.nn.RMSNorm(config.head_dim, config.norm_epsilon) for _ in range(2))
        self.query_norm, self.key_norm = norms if form.head_norms else (None, None)
        self.output = torch.nn.Linear(config.num_heads * config.head_dim, hidden, bias=form.output_bias)
        self.mlp_norm = _norm(config)
        inward = inner * len(form.feed_forward.inward)
        self.inward = torch.nn.Linear(hidden, inward, bias=form.feed_forward_bias)
        self.down = torch.nn.Linear(inner, hidden, bias=form.feed_forward_bias)

    def checkpoint_tensors(self) -> dict[str, Tensor]:
        form = self.form.feed_forward
        projections = [f"self_attn.{part}_proj" for part in "qkv"]
        inward = [f"mlp.{name}" for name in form.inward]
        tensors = {
            **_named(self.attention_norm, "input_layernorm"),
            **_split(self.query_key_value, projections, [count * self.head_dim for count in self.heads]),
            **_named(self.output, "self_attn.o_proj"),
            **_named(self.mlp_norm, "post_attention_layernorm"),
            **_split(self.inward, inward, [self.down.in_features] * len(inward)),
            **_named(self.down, f"mlp.{form.down}"),
        }
        if self.query_norm is not None and self.key_norm is not None:
            tensors |= {**_named(self.query_norm, "self_attn.q_norm"), **_named(self.key_norm, "self_attn.k_norm")}
        return tensors

    def forward(self, hidden: Tensor, rotation: Rotation, attend: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Tensor:
        """Hidden states [rows, M, hidden_size] after the layer; `attend` is its attention, see `Attend`."""
        return self.combine(hidden, attend(*self.project(hidden, rotation)))

    def project(self, hidden: Tensor, rotation: Rotation) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values [rows, heads, M, head_dim], the first two rotated."""
        rows, length, _ = hidden.shape
        projected = self.query_key_value(self.attention_norm(hidden)).view(rows, length, -1, self.head_dim)
        queries, keys, values = projected.transpose(1, 2).split(self.heads, dim=1)
        if self.query_norm is not None and self.key_norm is not None:
            queries, keys = self.query_norm(queries), self.key_norm(keys)
        return _rotate(queries, rotation), _rotate(keys, rotation), values

    def combine(self, hidden: Tensor, attended: Tensor) -> Tensor:
        """Join what attention [rows, heads, M, head_dim] found, then the feed-forward network."""
        hidden = hidden + self.output(attended.transpose(1, 2).flatten(2))
        inner = self.inward(self.mlp_norm(hidden))
        if self.form.feed_forward.gate is None:
            return hidden + self.down(functional.gelu(inner, approximate="tanh"))
        gate, up = inner.chunk(2, dim=-1)
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


@lru_cache(maxsize=16)
def _frequencies(values: tuple[float, ...], device: torch.device) -> Tensor:
    """Made once for a device: a CUDA graph cannot capture a copy from the processor."""
    return torch.tensor(values, dtype=torch.float32, device=device)


def _norm(config: ModelConfig) -> torch.nn.RMSNorm | torch.nn.LayerNorm:
    kind = torch.nn.RMSNorm if config.layers.norm == "rms" else torch.nn.LayerNorm
    return kind(config.hidden_size, config.norm_epsilon)


def _named(module: torch.nn.Module, name: str) -> dict[str, Tensor]:
    """A module's parameters, as those of a checkpoint's module of this name."""
    return {f"{name}.{part}": tensor for part, tensor in module.named_parameters()}


def _split(linear: torch.nn.Linear, names: Sequence[str], sizes: list[int]) -> dict[str, Tensor]:
    """The parameters of a fused linear layer, as those of the ones that it is made of."""
    return {
        f"{name}.{part}": rows
        for part, tensor in linear.named_parameters()
        for name, rows in zip(names, tensor.split(sizes), strict=True)
    }


def _matrix(inputs: int, outputs: int) -> torch.nn.Linear:
    return torch.nn.Linear(inputs, outputs, bias=False)
