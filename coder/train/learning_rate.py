"""The learning rate over a training run: up, along, and down in a straight line (arXiv:2405.18392, section 3)."""

from __future__ import annotations

from coder.train.settings import BudgetSettings, OptimizerSettings


def share_done(step: int, seconds: float, budget: BudgetSettings) -> float:
    """Return the share of the budget that is spent, from 0 to 1, in steps or in time, whichever is more."""
    steps = step / budget.max_steps if budget.max_steps else 0.0
    return min(1.0, max(steps, seconds / budget.max_seconds if budget.max_seconds else 0.0))


def rate_factor(step: int, done: float, optimizer: OptimizerSettings) -> float:
    """Return the factor of the highest learning rate in step `step`, from 0, a share `done` of the budget spent."""
    warmup = min(1.0, (step + 1) / max(1, optimizer.warmup_steps))
    falling = max(0.0, done - optimizer.steady) / max(1e-9, 1.0 - optimizer.steady)
    return warmup * (1.0 - (1.0 - optimizer.lowest) * min(1.0, falling))
