"""The canvases of all requests of a worker, as tensors on its device, and what one pass does to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from coder.diffusion.schedules import masked_counts
from coder.model.checkpoint.config import Ending
from coder.vllm.plugin.decoding import MAX_STEPS, RequestDecoding
from coder.vllm.plugin.unmasking import choose_slots, leftmost

Tensor = torch.Tensor

USUAL_ENDING = Ending()

SMALLEST_SHARE = 1e-6
"""The probability that is left to the other tokens where the end has all of it."""


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
        requests: R, the most at a time. slots: S. ending: the checkpoint's.
    """

    def __init__(
        self, requests: int, slots: int, control: ControlIds, device: torch.device, ending: Ending = USUAL_ENDING
    ) -> None:
        self.slots, self.control, self.device, self.ending = slots, control, device, ending

        def numbers(*shape: int) -> Tensor:
            return torch.zeros(requests, *shape, dtype=torch.int64, device=device)

        self.tokens = numbers(1 + slots)
        """Anchor and slots, as the model reads them."""
        self.committing = torch.ones(requests, dtype=torch.bool, device=device)
        self.step, self.masked_at_start = numbers(), numbers()
        self.remaining, self.size, self.kind = numbers(), numbers(), numbers()
        self.limit = numbers()
        """The number of slots of its canvas that a request fixes; those behind stay masked."""
        self.parameter = torch.zeros(requests, dtype=torch.float64, device=device)
        self.verified = torch.zeros(requests, dtype=torch.bool, device=device)
        self.end_bias = torch.zeros(requests, dtype=torch.float32, device=device)
        """Added to the end token's logit."""
        self.empty = torch.zeros(requests, dtype=torch.bool, device=device)
        """True while a request has no output yet."""
        self.still_masked = numbers(1 + slots, MAX_STEPS + 1)
        """The number of slots that a fixed policy leaves masked, by the slots masked at the start and the step."""
        self._forbidden = torch.tensor(control.forbidden, dtype=torch.int64, device=device)

    def add(self, request: int, decoding: RequestDecoding, max_tokens: int, written: int = 0) -> None:
        """Prepare a place for a request whose context is yet to be computed.

        Args:
            max_tokens: those that it may still write. written: those that it has written before it was preempted.
        """
        bias = self.ending.line_bias if decoding.expects == "line" else self.ending.block_bias
        self.end_bias[request].fill_(bias)
        self.empty[request].fill_(written == 0)
        self.committing[request].fill_(True)
        self.remaining[request].fill_(max_tokens)
        self.size[request].fill_(decoding.canvas_size)
        self.kind[request].fill_(int(decoding.kind))
        self.parameter[request].fill_(decoding.parameter)
        self.verified[request].fill_(decoding.verified)
        self.still_masked[request].copy_(_plan(decoding, self.slots), non_blocking=True)

    def start(self, requests: Tensor, anchors: Tensor) -> None:
        """Begin a new canvas behind each of `anchors`, int64 [N], the last tokens of their sequences."""
        everything = torch.ones_like(requests, dtype=torch.bool)
        self._begin(requests, anchors, everything)

    def advance(self, requests: Tensor, logits: Tensor, widths: Tensor, at_end: Tensor) -> tuple[Tensor, Tensor]:
        """Take in the logits of one pass over anchor and canvas of N requests.

        Args:
            requests: int64 [N]. logits: float32 [N, 1 + S, vocabulary]; is overwritten.
            widths: int64 [N], how many slots each pass had. A pass over a part of a canvas, such as the rest of vLLM's
                token budget has room for, is for nothing: a canvas is whole.
            at_end: bool [N], where the model's positions end, so that a smaller canvas is all there is.

        Returns:
            The tokens that join the output, int64 [N, 1 + S], and how many of them do, int64 [N]: 0 but for a commit.
        """
        logits[..., self._forbidden] = -torch.inf
        logits[..., self.control.end] += self.end_bias[requests, None]
        log_probabilities = logits.log_softmax(dim=-1)
        entropy = torch.special.entr(log_probabilities.exp()).sum(dim=-1)
        if self.ending.never_first:
            self._without_end_first(requests, log_probabilities)
        best_log, best = log_probabilities.max(dim=-1)
        self.limit[requests] = torch.where(at_end, self.limit[requests].minimum(widths), self.limit[requests])
        whole = (widths >= self.size[requests]) | at_end
        committing = self.committing[requests]
        output, counts = self._committed(requests, best)
        counts = counts * (committing & whole)
        self._denoise(requests, best[:, :-1], best_log.exp()[:, :-1], entropy[:, :-1], whole & ~committing)
        self._begin_next(requests, output, counts)
        return output, counts

    def _without_end_first(self, requests: Tensor, log_probabilities: Tensor) -> None:
        """Take the end from the first token of outputs that have none yet, in place, and scale up what is left."""
        first, end = log_probabilities[:, 0], self.control.end
        left = torch.log1p(-first[:, end].exp().clamp(max=1.0 - SMALLEST_SHARE))
        barred = first - left[:, None]
        barred[:, end] = -torch.inf
        log_probabilities[:, 0] = torch.where(self.empty[requests, None], barred, first)

    def _denoise(self, rows: Tensor, best: Tensor, confidence: Tensor, entropy: Tensor, active: Tensor) -> None:
        """One step of the requests `rows` that are `active`, bool [N]."""
        canvas = self.tokens[rows, 1:]
        slots = torch.arange(self.slots, device=self.device)
        masked = (canvas == self.control.mask) & (slots < self.limit[rows, None])
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

    def _committed(self, requests: Tensor, best: Tensor) -> tuple[Tensor, Tensor]:
        """Return the tokens that a commit adds: the canvas up to its end token; of a draft, the tokens up to the first
        that the causal pass predicts otherwise, and its prediction there."""
        canvas = self.tokens[requests, 1:]
        limit = self.limit[requests]
        # Where there is no room for a slot, the token that the anchor predicts is all there is.
        verified = self.verified[requests] | (limit == 0)
        slots = torch.arange(self.slots, device=self.device)
        agrees = (canvas == best[:, :-1]) & (slots < limit[:, None])
        agreed = agrees.long().cumprod(dim=1).sum(dim=1)
        own = torch.nn.functional.pad(canvas, (0, 1), value=self.control.mask)
        output = torch.where(verified[:, None], best, own)
        count = torch.where(verified, agreed + 1, limit)
        return output, torch.minimum(count, leftmost(output == self.control.end) + 1)

    def _begin_next(self, requests: Tensor, output: Tensor, counts: Tensor) -> None:
        """Go on behind what was committed. What did not commit keeps its canvas."""
        self.remaining[requests] -= counts
        self.empty[requests] &= counts == 0
        anchors = output.gather(1, (counts - 1).clamp(min=0)[:, None])[:, 0]
        self._begin(requests, anchors, counts > 0)

    def _begin(self, requests: Tensor, anchors: Tensor, which: Tensor) -> None:
        """New canvases behind `anchors`, for those requests that `which`, bool [N], says."""
        # The pass that verifies D tokens yields D + 1; so with one left to write a draft is empty.
        remaining = self.remaining[requests] - self.verified[requests].long()
        masked = self.size[requests].minimum(remaining).clamp(min=0)
        fresh = torch.full_like(self.tokens[requests], self.control.mask)
        fresh[:, 0] = anchors
        self.tokens[requests] = torch.where(which[:, None], fresh, self.tokens[requests])
        self.committing[requests] = torch.where(which, masked == 0, self.committing[requests])
        for state, value in ((self.step, 0), (self.limit, masked), (self.masked_at_start, masked)):
            state[requests] = torch.where(which, value, state[requests])


def _plan(decoding: RequestDecoding, slots: int) -> Tensor:
    """Return the number of slots that a fixed policy leaves masked: int64 [1 + S, MAX_STEPS + 1], by slots at the start
    and step."""
    plan = np.zeros((1 + slots, MAX_STEPS + 1), np.int64)
    for masked in range(1, 1 + slots):
        counts = masked_counts(decoding.schedule, masked, decoding.steps)
        plan[masked, : len(counts)] = counts
    return torch.from_numpy(plan)
