"""Low-rank changes to a decoder's matrices, learned while the matrices themselves stay (LoRA, arXiv:2106.09685)."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from coder.model.checkpoint.adapter import Change
from coder.model.checkpoint.config import ModelConfig
from coder.model.torch.decoder import Decoder, Layer

Tensor = torch.Tensor

MATRICES = ("query_key_value", "output", "gate_up", "down")
"""Of a layer, all of them."""


class LowRankLinear(torch.nn.Module):
    """Stands in for a matrix W: multiplies by W + scale · up @ down. `down` [rank, in] begins at random and `up`
    [out, rank] at zero, so that at first nothing changes."""

    def __init__(self, linear: torch.nn.Linear, rank: int, scale: float, generator: torch.Generator) -> None:
        super().__init__()
        self.linear = linear.requires_grad_(False)
        self.scale = scale
        down = torch.randn(rank, linear.in_features, generator=generator) / math.sqrt(linear.in_features)
        self.down = torch.nn.Parameter(down.to(linear.weight.device))
        self.up = torch.nn.Parameter(torch.zeros(linear.out_features, rank, device=linear.weight.device))

    @property
    def weight(self) -> Tensor:
        """The matrix without the change."""
        return self.linear.weight

    def forward(self, inputs: Tensor) -> Tensor:
        functional = torch.nn.functional
        return self.linear(inputs) + self.scale * functional.linear(functional.linear(inputs, self.down), self.up)


def add_low_rank(decoder: Decoder, rank: int, scale: float, seed: int) -> list[torch.nn.Parameter]:
    """Freeze a decoder and give each matrix of its layers a change; the parameters of these."""
    decoder.requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    for layer in decoder.layers:
        for name in MATRICES:
            setattr(layer, name, LowRankLinear(getattr(layer, name), rank, scale, generator))
    return [parameter for parameter in decoder.parameters() if parameter.requires_grad]


def changes_of(decoder: Decoder) -> dict[str, Change]:
    """What was learned, by the names that a checkpoint has for the matrices: those that a layer keeps as one are taken
    apart."""
    changes: dict[str, Change] = {}
    for index, layer in enumerate(decoder.layers):
        assert isinstance(layer, Layer)
        for matrix in MATRICES:
            change = getattr(layer, matrix)
            assert isinstance(change, LowRankLinear)
            down, up = (half.detach().float().cpu().numpy() for half in (change.down, change.up))
            start = 0
            for name, rows in _parts(matrix, decoder.config):
                changes[f"model.layers.{index}.{name}.weight"] = down, up[start : start + rows]
                start += rows
    return changes


def _parts(matrix: str, config: ModelConfig) -> Iterator[tuple[str, int]]:
    """The matrices of a checkpoint that lie below each other in a layer's, and their rows."""
    match matrix:
        case "query_key_value":
            yield "self_attn.q_proj", config.num_heads * config.head_dim
            yield "self_attn.k_proj", config.num_key_value_heads * config.head_dim
            yield "self_attn.v_proj", config.num_key_value_heads * config.head_dim
        case "output":
            yield "self_attn.o_proj", config.hidden_size
        case "gate_up":
            yield "mlp.gate_proj", config.intermediate_size
            yield "mlp.up_proj", config.intermediate_size
        case _:
            yield "mlp.down_proj", config.hidden_size
