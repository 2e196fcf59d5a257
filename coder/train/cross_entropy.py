"""The loss of the head, some targets at a time: logits of 49,152 words for all of them would fill the memory.

The gradient is computed along with the loss, so that logits are there once (like Liger, arXiv:2410.10989, section 3.2).
"""

from __future__ import annotations

from typing import Any

import torch

Tensor = torch.Tensor

TARGETS_TOGETHER = {"cpu": 512, "cuda": 4096}


def weighted_cross_entropy(
    hidden: Tensor, head: Tensor, answers: Tensor, weights: Tensor, trained: tuple[Tensor, Tensor] | None = None
) -> tuple[Tensor, Tensor]:
    """The weighted sum of -log p(answer), and each one's own, [K], which has no gradient.

    Args:
        hidden: [K, hidden_size]. head: [vocabulary, hidden_size], both in any float format.
        answers: int64 [K]. weights: float32 [K], without gradient.
        trained: (numbers int64 [R], rows [R, hidden_size]) where only these rows of the head are learned: `head` holds
            them already, and the gradient goes to `rows`.
    """
    numbers, rows = trained or (None, None)
    needs_gradient = torch.is_grad_enabled()
    dtype = torch.get_autocast_dtype(hidden.device.type) if torch.is_autocast_enabled(hidden.device.type) else None
    return _WeightedCrossEntropy.apply(hidden, head, rows, numbers, answers, weights, dtype, needs_gradient)


class _WeightedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        head: Tensor,
        rows: Tensor | None,
        numbers: Tensor | None,
        answers: Tensor,
        weights: Tensor,
        dtype: torch.dtype | None,
        needs_gradient: bool,
    ) -> tuple[Tensor, Tensor]:
        inputs, matrix = hidden.to(dtype or hidden.dtype), head.to(dtype or hidden.dtype)
        losses = torch.empty(len(hidden), dtype=_at_least_float32(hidden), device=hidden.device)
        head_gradient = torch.zeros_like(head) if needs_gradient and ctx.needs_input_grad[1] else None
        rows_gradient = torch.zeros_like(rows) if needs_gradient and rows is not None else None
        hidden_gradient = torch.empty_like(hidden) if needs_gradient else None
        part = TARGETS_TOGETHER.get(hidden.device.type, 4096)
        for start in range(0, len(hidden), part):
            own = slice(start, start + part)
            logits = inputs[own] @ matrix.T
            losses[own], slope = _loss_and_slope(logits, answers[own], weights[own])
            if hidden_gradient is not None:
                hidden_gradient[own] = slope @ matrix
            if head_gradient is not None:
                head_gradient += slope.T @ inputs[own]
            if rows_gradient is not None:
                rows_gradient += slope[:, numbers].T @ inputs[own]
        ctx.save_for_backward(hidden_gradient, head_gradient, rows_gradient)
        ctx.mark_non_differentiable(losses)
        return losses @ weights.to(losses.dtype), losses

    @staticmethod
    def backward(ctx: Any, total: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore
        gradients = (None if saved is None else saved * total.to(saved.dtype) for saved in ctx.saved_tensors)
        return (*gradients, None, None, None, None, None)


def _loss_and_slope(logits: Tensor, answers: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """-log p(answer) of each, and the derivative of their weighted sum by the logits, in their format."""
    log_probabilities = logits.to(_at_least_float32(logits)).log_softmax(dim=-1)
    losses = -log_probabilities.gather(1, answers[:, None])[:, 0]
    weight = weights[:, None].to(losses.dtype)
    slope = log_probabilities.exp_().mul_(weight).scatter_add_(1, answers[:, None], -weight)
    return losses, slope.to(logits.dtype)


def _at_least_float32(values: Tensor) -> torch.dtype:
    return torch.promote_types(values.dtype, torch.float32)
