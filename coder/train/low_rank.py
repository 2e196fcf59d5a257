"""Low-rank changes to a model's matrices, learned while the matrices themselves stay (LoRA, arXiv:2106.09685)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

Tensor = torch.Tensor
functional = torch.nn.functional


class LowRankLinear(torch.nn.Module):
    """Stands in for a matrix W [out, in]: multiplies by W + scale · B A, with A [rank, in] and B [out, rank].

    A begins at random and B at zero, so that at first nothing changes. W lies above a copy of A in one matrix, so that
    a product with W also gives the product with A: for a few rows more, instead of a product of its own that is too
    narrow to be fast.

    Attributes:
        lora_A, lora_B: float32, what is trained. enabled: off, it is W alone.
    """

    def __init__(self, linear: torch.nn.Linear, rank: int, scale: float, generator: torch.Generator) -> None:
        super().__init__()
        self.scale, self.enabled = scale, True
        self.outputs, self.inputs = linear.weight.shape
        down = torch.randn(rank, self.inputs, generator=generator) / math.sqrt(self.inputs)
        self.lora_A = torch.nn.Parameter(down.to(linear.weight.device))
        self.lora_B = torch.nn.Parameter(torch.zeros(self.outputs, rank, device=linear.weight.device))
        joined = torch.cat([linear.weight.detach(), down.to(linear.weight)])
        self.register_buffer("joined", joined, persistent=False)
        self.bias = None if linear.bias is None else torch.nn.Parameter(linear.bias.detach(), requires_grad=False)

    joined: Tensor

    @property
    def weight(self) -> Tensor:
        """W, without the change."""
        return self.joined[: self.outputs]

    @torch.no_grad()
    def refresh(self) -> None:
        """Bring A into the joined matrix, after it changed."""
        self.joined[self.outputs :] = self.lora_A

    def forward(self, inputs: Tensor) -> Tensor:
        if not self.enabled:
            return functional.linear(inputs, self.weight, self.bias)
        rows = inputs.reshape(-1, self.inputs)
        if not torch.is_grad_enabled() or not (self.lora_A.requires_grad or inputs.requires_grad):
            outputs = _product(rows, self.joined, self.lora_B, self.scale)[0]
        else:
            outputs = _LowRankProduct.apply(rows, self.joined, self.lora_A, self.lora_B, self.scale)
        outputs = outputs if self.bias is None else outputs + self.bias
        return outputs.view(*inputs.shape[:-1], self.outputs)


def _product(rows: Tensor, joined: Tensor, up: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Return x Wᵀ + scale · (x Aᵀ) Bᵀ and x Aᵀ."""
    both = rows @ joined.T
    plain, inner = both[:, : up.shape[0]], both[:, up.shape[0] :]
    return torch.addmm(plain, inner, up.to(rows.dtype).T, alpha=scale), inner


class _LowRankProduct(torch.autograd.Function):
    """The product and its gradients, written out: nothing of the size of W is kept or made for the backward pass."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, joined: Tensor, down: Tensor, up: Tensor, scale: float) -> Tensor:
        outputs, inner = _product(rows, joined, up, scale)
        ctx.save_for_backward(rows, joined, inner, up)
        ctx.scale = scale
        return outputs

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        rows, joined, inner, up = ctx.saved_tensors
        needs_rows, _, needs_down, needs_up, _ = ctx.needs_input_grad
        count = up.shape[0]
        inner_slope = (slope @ up.to(slope.dtype)).mul_(ctx.scale)
        rows_slope = torch.addmm(slope @ joined[:count], inner_slope, joined[count:]) if needs_rows else None
        down_slope = (inner_slope.T @ rows).float() if needs_down else None
        up_slope = (slope.T @ inner).float().mul_(ctx.scale) if needs_up else None
        return rows_slope, None, down_slope, up_slope, None


def add_low_rank(model: torch.nn.Module, rank: int, scale: float, seed: int) -> None:
    """Freeze a `transformers` model and give every matrix of its layers, but not its embeddings, a change."""
    model.requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    for name, linear in list(model.named_modules()):
        if isinstance(linear, torch.nn.Linear) and ".layers." in f".{name}":
            parent, _, own = name.rpartition(".")
            setattr(model.get_submodule(parent), own, LowRankLinear(linear, rank, scale, generator))


def changes(model: torch.nn.Module) -> Iterator[tuple[str, LowRankLinear]]:
    """Yield the changes of a model by the names of the modules that they are in."""
    for name, module in model.named_modules():
        if isinstance(module, LowRankLinear):
            yield name, module


def refresh(model: torch.nn.Module) -> None:
    """Bring what was learned since into the products; to be called once a step."""
    for _, change in changes(model):
        change.refresh()


@contextmanager
def without_changes(model: torch.nn.Module) -> Iterator[None]:
    """Let a model be what it was before anything was learned."""
    found = [change for _, change in changes(model)]
    for change in found:
        change.enabled = False
    try:
        yield
    finally:
        for change in found:
            change.enabled = True
