"""Local autoregression: a slot's prediction, leaned on the two tokens before it.

The slots of one pass are guessed independently, so neighbours disagree. A small network on a slot's last hidden state
and the embeddings of the two tokens before it, ending in the same head, decides slot after slot within one pass (after
CoDiLA, arXiv:2603.20216, and Hydra heads, arXiv:2402.05109).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

Tensor = torch.Tensor
functional = torch.nn.functional

PREFIX = "local."
"""Of its parameters' names in an adapter's file."""


class TrainedLocalAutoregression(torch.nn.Module):
    """h + W2 · silu(W1 · [rms(h); e(x₋₁); e(x₋₂)] + b1), in the format of h; it begins as h itself.

    `W1` [width, 3 · hidden], `b1` [width], `W2` [hidden, width], float32.
    """

    def __init__(self, hidden_size: int, width: int, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        first = torch.randn(width, 3 * hidden_size, generator=generator) / math.sqrt(3 * hidden_size)
        self.W1 = torch.nn.Parameter(first)
        self.b1 = torch.nn.Parameter(torch.zeros(width))
        self.W2 = torch.nn.Parameter(torch.zeros(hidden_size, width))

    def forward(self, hidden: Tensor, before: Tensor) -> Tensor:
        """Return states [K, hidden] for the head.

        Args:
            hidden: [K, hidden], the slots' last states.
            before: [K, 2, hidden], the embeddings of the token before each slot's and of the one before that, scaled to
                a standard deviation of about 1.
        """
        dtype = hidden.dtype
        normed = functional.rms_norm(hidden.float(), hidden.shape[-1:], eps=torch.finfo(torch.float32).eps).to(dtype)
        inputs = torch.cat([normed, before.to(dtype).flatten(1)], dim=-1)
        inner = functional.silu(functional.linear(inputs, self.W1.to(dtype), self.b1.to(dtype)))
        return hidden + functional.linear(inner, self.W2.to(dtype))

    @staticmethod
    def of(tensors: Mapping[str, Tensor]) -> TrainedLocalAutoregression:
        """Make one of the tensors of an adapter's file."""
        first = tensors[f"{PREFIX}W1"]
        local = TrainedLocalAutoregression(first.shape[1] // 3, first.shape[0])
        local.load_state_dict({name: tensors[f"{PREFIX}{name}"].float() for name in ("W1", "b1", "W2")})
        return local
