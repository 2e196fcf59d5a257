"""The loss of the head, some rows at a time: logits of the whole vocabulary for all of them would fill the memory.

The gradient is computed along with the loss, so that logits are there once (like Liger, arXiv:2410.10989, section 3.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

Tensor = torch.Tensor

ROWS_TOGETHER = {"cpu": 256, "cuda": 4096}


@dataclass(frozen=True)
class HeadLoss:
    """The loss of K rows.

    Attributes:
        total: the weighted sum, with a gradient.
        nats: float32 [K], -log p of each row's first target.
        right: bool [K], whether that is the likeliest token; only without a gradient, for evaluations.
        tokens, probabilities: [K, n], the likeliest tokens and their probabilities, if they were asked for.
    """

    total: Tensor
    nats: Tensor
    right: Tensor
    tokens: Tensor
    probabilities: Tensor


def head_loss(
    hidden: Tensor, head: Tensor, targets: Tensor, shares: Tensor, weights: Tensor, likeliest: int = 0
) -> HeadLoss:
    """Return Σ weight · Σ share · -log p(target) over the rows.

    Args:
        hidden: [K, hidden_size]. head: [vocabulary, hidden_size], both in any float format.
        targets: int64 [K, n]. shares: float32 [K, n], which sum to 1 in each row; (1, 0, …) is a hard target.
        weights: float32 [K].
        likeliest: so many tokens of each row are returned.
    """
    dtype = torch.get_autocast_dtype(hidden.device.type) if torch.is_autocast_enabled(hidden.device.type) else None
    return HeadLoss(*_HeadLoss.apply(hidden, head, targets, shares, weights, likeliest, dtype, torch.is_grad_enabled()))


class _HeadLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        head: Tensor,
        targets: Tensor,
        shares: Tensor,
        weights: Tensor,
        likeliest: int,
        dtype: torch.dtype | None,
        needs_gradient: bool,
    ) -> tuple[Tensor, ...]:
        inputs, matrix = hidden.to(dtype or hidden.dtype), head.to(dtype or hidden.dtype)
        exact = torch.promote_types(hidden.dtype, torch.float32)
        nats = torch.empty(len(hidden), dtype=exact, device=hidden.device)
        right = torch.zeros(len(hidden), dtype=torch.bool, device=hidden.device)
        total = torch.zeros((), dtype=exact, device=hidden.device)
        tokens = torch.empty(len(hidden), likeliest, dtype=torch.int64, device=hidden.device)
        probabilities = torch.empty(len(hidden), likeliest, dtype=exact, device=hidden.device)
        hidden_slope = torch.empty_like(hidden) if needs_gradient and ctx.needs_input_grad[0] else None
        head_slope = torch.zeros_like(head) if needs_gradient and ctx.needs_input_grad[1] else None
        part = ROWS_TOGETHER.get(hidden.device.type, 4096)
        for start in range(0, len(hidden), part):
            own = slice(start, start + part)
            logits = (inputs[own] @ matrix.T).to(exact)
            if likeliest:
                probabilities[own], tokens[own] = logits.topk(likeliest, dim=-1)
            weight = weights[own, None].to(exact)
            chosen = logits.gather(1, targets[own])
            total_log = logits.logsumexp(dim=-1, keepdim=True)
            if likeliest:
                probabilities[own] = (probabilities[own] - total_log).exp_()
            losses = total_log - chosen
            nats[own] = losses[:, 0]
            total += (losses * shares[own] * weight).sum()
            if hidden_slope is None and head_slope is None:
                right[own] = logits.argmax(dim=-1) == targets[own, 0]
                continue
            slope = logits.sub_(total_log).exp_().mul_(weight)
            slope = slope.scatter_add_(1, targets[own], -(shares[own].to(exact) * weight)).to(inputs.dtype)
            if hidden_slope is not None:
                hidden_slope[own] = slope @ matrix
            if head_slope is not None:
                head_slope += slope.T @ inputs[own]
        ctx.save_for_backward(hidden_slope, head_slope)
        ctx.mark_non_differentiable(nats, right, tokens, probabilities)
        return total, nats, right, tokens, probabilities

    @staticmethod
    def backward(ctx: Any, total: Tensor, *_: Any) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        slopes = (None if slope is None else slope * total.to(slope.dtype) for slope in ctx.saved_tensors)
        return (*slopes, None, None, None, None, None, None)
