"""An embedding of which only some rows are trained: those of the control tokens, which the base knows nothing about."""

from __future__ import annotations

from collections.abc import Sequence

import torch

Tensor = torch.Tensor


class ControlEmbedding(torch.nn.Embedding):
    """Stands in for a decoder's embedding, or for its head. `weight` is frozen; `rows` stands for some of its rows.

    Neither a gradient nor a moment is ever made for the rest, which is a fifth of a small model.
    """

    numbers: Tensor
    """int64, ascending: which rows are trained."""

    def __init__(self, weight: Tensor, trained: Sequence[int]) -> None:
        super().__init__(weight.shape[0], weight.shape[1], _weight=weight.detach(), _freeze=True)
        # A model that is only described (on the device `meta`) knows its numbers all the same.
        numbers = torch.tensor(sorted(trained), device="cpu" if weight.is_meta else weight.device)
        self.register_buffer("numbers", numbers, persistent=False)
        self.rows = torch.nn.Parameter(weight.detach()[numbers].clone())

    def forward(self, input: Tensor) -> Tensor:
        """Vectors [..., hidden_size] of int64 tokens [...]."""
        self.settle()
        place = torch.searchsorted(self.numbers, input).clamp(max=len(self.numbers) - 1)
        trained = (self.numbers[place] == input)[..., None]
        return torch.where(trained, torch.nn.functional.embedding(place, self.rows), super().forward(input))

    @torch.no_grad()
    def settle(self) -> None:
        """Bring the trained rows into `weight`."""
        self.weight[self.numbers] = self.rows.to(self.weight.dtype)

    @torch.no_grad()
    def unsettle(self) -> None:
        """Take the trained rows from `weight`, after that was loaded."""
        self.rows.copy_(self.weight[self.numbers])
