"""The unmasking policies of `coder.diffusion.unmasking` and the end rule of `coder.diffusion.canvas`, for N canvases
of S slots at once, without a loop over requests and without waiting for the device."""

from __future__ import annotations

import torch

from coder.vllm.plugin.decoding import PolicyKind

Tensor = torch.Tensor


def choose_slots(
    confidence: Tensor, entropy: Tensor, ends: Tensor, masked: Tensor, kind: Tensor, parameter: Tensor, quota: Tensor
) -> Tensor:
    """Return the masked slots to fix now: bool [N, S], at least one in every row that has any.

    Args:
        confidence, entropy: float32 [N, S], of each slot's best token and of its whole distribution.
        ends: bool [N, S], which slots would get the end token. masked: bool [N, S].
        kind: int64 [N], a `PolicyKind`. parameter: float64 [N]. quota: int64 [N], how many a fixed policy wants now.
    """
    ends = ends & masked
    first_end = leftmost(ends)
    slots = torch.arange(masked.shape[1], device=masked.device)
    is_first_end = slots == first_end[:, None]
    offered = masked & (~ends | is_first_end)
    chosen = _selected(confidence, entropy, offered, kind, parameter, quota)
    before_end = slots < first_end[:, None]
    complete = (~masked | chosen | ~before_end).all(dim=1, keepdim=True)
    waiting = chosen & ~is_first_end
    surest = _is_surest(confidence, masked & before_end)
    fallback = torch.where(waiting.any(dim=1, keepdim=True), waiting, surest)
    takes_end = (chosen & is_first_end).any(dim=1, keepdim=True)
    return torch.where(takes_end, torch.where(complete, chosen & (before_end | is_first_end), fallback), chosen)


def leftmost(marks: Tensor) -> Tensor:
    """The first marked slot of each row, int64 [N]; S where none is."""
    slots = torch.arange(marks.shape[1], device=marks.device)
    return torch.where(marks, slots, marks.shape[1]).amin(dim=1)


def _selected(
    confidence: Tensor, entropy: Tensor, offered: Tensor, kind: Tensor, parameter: Tensor, quota: Tensor
) -> Tensor:
    """Return the slots that each row's policy takes of those offered."""
    by_confidence = _ranks(-confidence, offered)
    by_entropy = _ranks(entropy, offered)
    parameter = parameter[:, None]
    sure = offered & (confidence >= parameter.to(confidence.dtype))

    doubt = torch.where(offered, 1.0 - confidence.double(), torch.inf)
    passing = (by_confidence + 2) * doubt < parameter
    ordered = torch.where(offered, entropy.double(), torch.inf).sort(dim=1, stable=True).values
    all_but_largest = ordered.cumsum(dim=1) - ordered
    within = (all_but_largest <= parameter).sum(dim=1)

    count = torch.stack([sure.sum(dim=1), passing.sum(dim=1), within, quota])
    by_count = count.gather(0, kind[None])[0].clamp(min=1)
    ranks = torch.where((kind == PolicyKind.ENTROPY)[:, None], by_entropy, by_confidence)
    # Where no slot is sure, the threshold takes the first one.
    unsure = (kind == PolicyKind.THRESHOLD) & ~sure.any(dim=1)
    first = torch.arange(offered.shape[1], device=offered.device) == leftmost(offered)[:, None]
    return offered & torch.where(unsure[:, None], first, ranks < by_count[:, None])


def _ranks(key: Tensor, offered: Tensor) -> Tensor:
    """The place of each slot when the offered ones are sorted by `key`, ascending and stable: int64 [N, S]."""
    order = torch.where(offered, key.double(), torch.inf).argsort(dim=1, stable=True)
    return order.argsort(dim=1)


def _is_surest(confidence: Tensor, among: Tensor) -> Tensor:
    return among & (_ranks(-confidence, among) == 0)
