"""The canvases of all requests of a worker, as tensors on its device, and what one pass does to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from coder.diffusion.schedules import masked_counts
from coder.vllm_plugin.decoding import MAX_STEPS, Decoding
from coder.vllm_plugin.unmasking import choose_slots, leftmost

Tensor = torch.Tensor


@dataclass(frozen=True)
class ControlIds:
    """Ids that decoding treats specially. `forbidden`: those that are never produced, the end not among them."""

    mask: int
    end: int
    forbidden: tuple[int, ...]


class Canvases:
    """State of R requests, each with an anchor and a canvas of up to S slots behind it.

    A request denoises until nothing that it may write is masked, then commits: a causal pass over anchor and canvas,
    after which the next canvas begins. `committing` says which of the two its next pass is.

    Args:
        requests: R, the most at a time. slots: S.
    """

    def __init__(self, requests: int, slots: int, control: ControlIds, device: torch.device) -> None:
        self.slots, self.control, self.device = slots, control, device

        def numbers(*shape: int) -> Tensor:
            return torch.zeros(requests, *shape, dtype=torch.int64, device=device)

        self.tokens = numbers(1 + slots)
        """Anchor and slots, as the model reads them."""
        self.committing = torch.ones(requests, dtype=torch.bool, device=device)
        self.step, self.masked_at_start = numbers(), numbers()
        self.remaining, self.size, self.kind = numbers(), numbers(), numbers()
        self.parameter = torch.zeros(requests, dtype=torch.float64, device=device)
        self.verified = torch.zeros(requests, dtype=torch.bool, device=device)
        self.still_masked = numbers(1 + slots, MAX_STEPS + 1)
        """By the number of slots masked at the start and the step: how many a fixed policy leaves masked."""
        self._forbidden = torch.tensor(control.forbidden, dtype=torch.int64, device=device)

    def add(self, request: int, decoding: Decoding, max_tokens: int) -> None:
        """Prepare a place for a request whose context is yet to be computed."""
        self.committing[request].fill_(True)
        self.remaining[request].fill_(max_tokens)
        self.size[request].fill_(decoding.canvas_size)
        self.kind[request].fill_(int(decoding.kind))
        self.parameter[request].fill_(decoding.parameter)
        self.verified[request].fill_(decoding.verified)
        self.still_masked[request].copy_(_plan(decoding, self.slots), non_blocking=True)

    def start(self, requests: Tensor, anchors: Tensor) -> None:
        """Begin a new canvas behind each of `anchors`, int64 [N], the last tokens of their sequences."""
        masked = self._writable(requests)
        self.tokens[requests, 0] = anchors
        self.tokens[requests, 1:] = self.control.mask
        self.step[requests] = 0
        self.masked_at_start[requests] = masked
        # With one token left to write, a draft to be verified is empty.
        self.committing[requests] = masked == 0

    def advance(self, requests: Tensor, logits: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        """Take in the logits of one pass over anchor and canvas of N requests.

        Args:
            requests: int64 [N]. logits: float32 [N, 1 + S, vocabulary]; is overwritten.
            widths: int64 [N], how many slots each pass had: fewer than the canvas at the end of the model's positions.

        Returns:
            The tokens that join the output, int64 [N, 1 + S], and how many of them do, int64 [N]: 0 but for a commit.
        """
        logits[..., self._forbidden] = -torch.inf
        log_probabilities = logits.log_softmax(dim=-1)
        best_log, best = log_probabilities.max(dim=-1)
        committing = self.committing[requests]
        output, counts = self._committed(requests, best, widths)
        counts = counts * committing

        entropy = torch.special.entr(log_probabilities.exp()).sum(dim=-1)
        self._denoise(requests[:, None], best[:, :-1], best_log.exp()[:, :-1], entropy[:, :-1], widths, ~committing)
        self._begin_next(requests, output, counts)
        return output, counts

    def _writable(self, requests: Tensor) -> Tensor:
        """How many slots of its canvas a request may fix. The pass that verifies D tokens yields D + 1."""
        remaining = self.remaining[requests] - self.verified[requests].long()
        return torch.minimum(self.size[requests], remaining)

    def _denoise(
        self, requests: Tensor, best: Tensor, confidence: Tensor, entropy: Tensor, widths: Tensor, active: Tensor
    ) -> None:
        rows = requests[:, 0]
        canvas = self.tokens[rows, 1:]
        limit = torch.minimum(self._writable(rows), widths)[:, None]
        masked = (canvas == self.control.mask) & (torch.arange(self.slots, device=self.device) < limit)
        step = (self.step[rows] + 1).clamp(max=MAX_STEPS)
        quota = masked.sum(dim=1) - self.still_masked[rows, self.masked_at_start[rows], step]
        ends = best == self.control.end
        chosen = choose_slots(confidence, entropy, ends, masked, self.kind[rows], self.parameter[rows], quota)
        chosen &= active[:, None]
        canvas = torch.where(chosen, best, canvas)
        ended = (chosen & ends).any(dim=1)
        self.tokens[rows, 1:] = canvas
        self.step[rows] += active.long()
        left = (masked & ~chosen).any(dim=1)
        self.committing[rows] |= active & (ended | ~left)

    def _committed(self, requests: Tensor, best: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
        """What a commit adds: the canvas up to its end token, or what the causal pass says of a draft up to the first
        token that differs, and its own token there."""
        canvas = self.tokens[requests, 1:]
        verified = self.verified[requests]
        limit = torch.minimum(self._writable(requests), widths)
        slots = torch.arange(self.slots, device=self.device)
        agrees = (canvas == best[:, :-1]) & (slots < limit[:, None])
        agreed = agrees.long().cumprod(dim=1).sum(dim=1)
        own = torch.nn.functional.pad(canvas, (0, 1), value=self.control.mask)
        output = torch.where(verified[:, None], best, own)
        count = torch.where(verified, agreed + 1, limit)
        return output, torch.minimum(count, leftmost(output == self.control.end) + 1)

    def _begin_next(self, requests: Tensor, output: Tensor, counts: Tensor) -> None:
        """Go on behind what was committed. What did not commit keeps its canvas."""
        emitted = counts > 0
        self.remaining[requests] -= counts
        anchors = output.gather(1, (counts - 1).clamp(min=0)[:, None])[:, 0]
        masked = self._writable(requests).clamp(min=0)
        fresh = torch.full_like(self.tokens[requests], self.control.mask)
        fresh[:, 0] = anchors
        self.tokens[requests] = torch.where(emitted[:, None], fresh, self.tokens[requests])
        self.step[requests] = torch.where(emitted, 0, self.step[requests])
        self.masked_at_start[requests] = torch.where(emitted, masked, self.masked_at_start[requests])
        self.committing[requests] = torch.where(emitted, masked == 0, self.committing[requests])


def _plan(decoding: Decoding, slots: int) -> Tensor:
    """How many slots a fixed policy leaves masked: int64 [1 + S, MAX_STEPS + 1], by slots at the start and step."""
    plan = np.zeros((1 + slots, MAX_STEPS + 1), np.int64)
    for masked in range(1, 1 + slots):
        counts = masked_counts(decoding.schedule, masked, decoding.steps)
        plan[masked, : len(counts)] = counts
    return torch.from_numpy(plan)
