"""The ways to decode: block diffusion, drafts verified autoregressively, and one token after another."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from itertools import count, islice

import numpy as np

from coder.diffusion.canvas import Canvas, choose_slots
from coder.diffusion.events import Committed, FinishReason, Step
from coder.diffusion.lookup import repeated_continuation
from coder.diffusion.request import DecodingAlgorithm, DenoiseRequest
from coder.diffusion.run import Run
from coder.diffusion.unmasking import POLICY_FORMS, FixedSteps, UnmaskingPolicy, parse_policy
from coder.errors import InputError

Decoding = Generator[Step | Committed, None, FinishReason]


@dataclass(frozen=True)
class BlockDiffusion:
    """Denoise one canvas after the other, each seeing all before it (Block Diffusion, arXiv:2503.09573).

    A canvas of B slots takes 1 to B canvas passes, and a context pass to bring it into the cache if one follows.
    """

    policy: UnmaskingPolicy
    canvas_size: int = 16

    def __post_init__(self) -> None:
        _check_canvas_size(self.canvas_size)

    def decode(self, run: Run) -> Decoding:
        while run.remaining:
            canvas = run.unfinished = run.new_canvas(self.canvas_size, run.remaining)
            yield from denoise_canvas(run, canvas, self.policy)
            yield run.accept(*canvas.leading_text())
            if canvas.ended:
                return "end"
        return "length"

    def __str__(self) -> str:
        return f"{self.policy}, canvas {self.canvas_size}"


@dataclass(frozen=True)
class Verified:
    """Draft a canvas, then keep what one context pass agrees with: greedy autoregressive output in fewer passes.

    The draft x1 ... xD is by default one canvas pass, each slot's best token. The context pass over anchor and draft
    predicts y1 ... y(D+1); up to the first j with xj != yj, and that yj itself, they are the output, and the cache is
    cut there (speculative decoding, arXiv:2211.17192, the model being its own drafter as in TiDAR, arXiv:2511.08923).
    """

    canvas_size: int = 16
    policy: UnmaskingPolicy = field(default_factory=lambda: FixedSteps(1))

    def __post_init__(self) -> None:
        _check_canvas_size(self.canvas_size)

    @property
    def max_steps(self) -> int | None:
        return self.policy.steps if isinstance(self.policy, FixedSteps) else None

    def decode(self, run: Run) -> Decoding:
        _require_greedy(run.request)
        while run.remaining:
            # The pass that verifies D tokens yields D + 1, so the last one needs no draft.
            canvas = run.new_canvas(self.canvas_size, run.remaining - 1)
            # Constraints may leave slots masked; a draft of one pass is worth no second one for them.
            yield from islice(denoise_canvas(run, canvas, self.policy), self.max_steps)
            draft, _ = canvas.leading_text()
            if (yield from verify(run, draft)):
                return "end"
        return "length"

    def __str__(self) -> str:
        policy = "" if self.policy == FixedSteps(1) else f" {self.policy}"
        return f"verified{policy}, canvas {self.canvas_size}"


@dataclass(frozen=True)
class Lookup:
    """Drafts copied from the context or else from the request's drafters, verified: greedy autoregressive output, and
    where code repeats itself in fewer passes. A draft costs no pass, only the width of the one that verifies it (see
    `coder.diffusion.lookup`)."""

    draft_size: int = 4

    def __post_init__(self) -> None:
        if self.draft_size < 1:
            raise InputError(f"a draft needs at least 1 token, not {self.draft_size}")

    def decode(self, run: Run) -> Decoding:
        _require_greedy(run.request)
        while run.remaining:
            size = min(self.draft_size, run.remaining - 1)
            if (yield from verify(run, self._draft(run, size))):
                return "end"
        return "length"

    def _draft(self, run: Run, size: int) -> list[int]:
        if not size:
            return []
        drafts = (drafter.draft(run.sequence, size) for drafter in run.request.drafters)
        return repeated_continuation(run.sequence, size, run.control_tokens) or next(filter(None, drafts), [])

    def __str__(self) -> str:
        return f"lookup, draft {self.draft_size}"


@dataclass(frozen=True)
class Autoregressive:
    """One token a pass: the baseline."""

    def decode(self, run: Run) -> Decoding:
        _refuse_fixed(run.request)
        while run.remaining:
            tokens, confidences = run.select_tokens(run.predict_next())
            if tokens[0] == run.request.end_token:
                return "end"
            yield run.accept(tokens.tolist(), confidences.tolist())
        return "length"

    def __str__(self) -> str:
        return "autoregressive"


def denoise_canvas(run: Run, canvas: Canvas, policy: UnmaskingPolicy) -> Iterator[Step]:
    """Fix the canvas's masked slots, at least one a pass, until none is left."""
    masked_at_start = len(canvas.masked)
    for step in count():
        masked = canvas.masked
        if not len(masked):
            return
        predictions = run.predict_canvas(canvas, masked)
        tokens, confidences = run.select_tokens(predictions)
        ends = tokens == run.request.end_token
        margin = predictions.probabilities[:, 0] - predictions.probabilities[:, 1]
        chosen = choose_slots(policy, confidences, predictions.entropy, ends, step, masked_at_start, margin)
        chosen = chosen[run.compatible(canvas, masked[chosen], tokens[chosen], confidences[chosen])]
        canvas.fix(masked[chosen], tokens[chosen], confidences[chosen])
        yield Step(tuple(canvas.tokens.tolist()), tuple(masked[chosen].tolist()), tuple(confidences[chosen].tolist()))


def verify(run: Run, draft: list[int]) -> Generator[Committed, None, bool]:
    """Keep what one context pass over anchor and draft agrees with, and its own token behind that.

    Returns whether the end token was reached.
    """
    answers = run.predict_next(draft)
    agreed = int(np.argmin(np.append(answers.tokens[:-1, 0] == draft, False)))
    run.take_back(len(draft) - agreed)
    tokens = answers.tokens[: agreed + 1, 0].tolist()
    confidences = answers.probabilities[: agreed + 1, 0].tolist()
    ended = tokens[-1] == run.request.end_token
    yield run.accept(tokens[:-1], confidences[:-1]) if ended else run.accept(tokens, confidences)
    return ended


def parse_algorithm(text: str, canvas_size: int) -> DecodingAlgorithm:
    """The algorithm that `text` names: `autoregressive`, `verified`, `lookup`, or a policy as `parse_policy` reads it.

    Raises:
        InputError: an unknown name or a parameter that does not fit; the message lists what exists.
    """
    match text.split(":"):
        case ["autoregressive"]:
            return Autoregressive()
        case ["verified"]:
            return Verified(canvas_size)
        case ["lookup"]:
            return Lookup()
        case ["lookup", size] if size.isdecimal():
            return Lookup(int(size))
        case [name, *_] if name in POLICY_FORMS:
            return BlockDiffusion(parse_policy(text), canvas_size)
    known = ", ".join(["autoregressive", "verified", "lookup[:TOKENS]", *POLICY_FORMS.values()])
    raise InputError(f"there is no decoding policy {text!r}; write one of {known}")


def _check_canvas_size(size: int) -> None:
    if size < 1:
        raise InputError(f"a canvas needs at least 1 slot, not {size}")


def _require_greedy(request: DenoiseRequest) -> None:
    _refuse_fixed(request)
    if request.temperature:
        raise InputError(f"{request.algorithm} is greedy: leave temperature at 0, or choose another policy")


def _refuse_fixed(request: DenoiseRequest) -> None:
    if request.fixed:
        raise InputError(f"fixed slots need a canvas policy ({', '.join(POLICY_FORMS)}), not {request.algorithm}")
