"""Decoding of this project's models: block diffusion, drafts verified autoregressively, and one token after another."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from math import isfinite

import numpy as np
import numpy.typing as npt

from coder.diffusion import policies
from coder.diffusion.canvas import BoolArray, Canvas, IntArray
from coder.diffusion.events import Committed, FinishReason, Step
from coder.diffusion.run import DecodingAlgorithm, DenoiseRequest, Run
from coder.diffusion.unmasking import Candidates, FixedSteps, UnmaskingPolicy, parse_policy
from coder.errors import InputError

DecodingEvents = Generator[Step | Committed, None, FinishReason]

LARGEST_CANVAS, LONGEST_DRAFT = 1024, 64
"""Slots, and tokens that are copied; far more than are ever right together."""

LONGEST_MATCH, SHORTEST_MATCH = 4, 2
"""Tokens that must be the same for a draft by lookup. A longer match is a better guess; one token alone is none."""


@dataclass(frozen=True)
class BlockDiffusion:
    """Denoise one canvas after the other, each seeing all before it (Block Diffusion, arXiv:2503.09573).

    A canvas of B slots takes 1 to B canvas passes, and a context pass to bring it into the cache if one follows.
    """

    policy: UnmaskingPolicy
    canvas_size: int = 16

    def __post_init__(self) -> None:
        _check_canvas_size(self.canvas_size)

    def decode(self, run: Run) -> DecodingEvents:
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
class Joint:
    """Fix runs of slots from the left, each knowing the tokens before it, while their joint probability is high.

    A canvas of B slots takes 1 to B canvas passes; see `chain_canvas`.
    """

    least: float = 0.9
    canvas_size: int = 16

    def __post_init__(self) -> None:
        _check_canvas_size(self.canvas_size)
        if not 0.0 <= self.least <= 1.0:
            raise InputError(f"joint takes a probability from 0 to 1, not {self.least:g}")

    def decode(self, run: Run) -> DecodingEvents:
        while run.remaining:
            canvas = run.unfinished = run.new_canvas(self.canvas_size, run.remaining)
            while len(canvas.masked):
                yield chain_canvas(run, canvas, self.least)
            yield run.accept(*canvas.leading_text())
            if canvas.ended:
                return "end"
        return "length"

    def __str__(self) -> str:
        return f"joint({self.least:g}), canvas {self.canvas_size}"


@dataclass(frozen=True)
class Verified:
    """Draft a canvas, then keep what one context pass agrees with: greedy autoregressive output in fewer passes.

    The draft x1 ... xD is by default one canvas pass: each slot's best token, or, where the checkpoint has a local
    autoregression, the best one given the two tokens before it (`chain_canvas`). The context pass over anchor and draft
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

    def decode(self, run: Run) -> DecodingEvents:
        _require_greedy(run.request)
        while run.remaining:
            # The pass that verifies D tokens yields D + 1, so the last one needs no draft.
            canvas = run.new_canvas(self.canvas_size, run.remaining - 1)
            if run.config.local_width and len(canvas.masked):
                yield chain_canvas(run, canvas)
            else:
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
    `repeated_continuation`)."""

    draft_size: int = 4

    def __post_init__(self) -> None:
        if not 1 <= self.draft_size <= LONGEST_DRAFT:
            raise InputError(f"lookup takes a draft of 1 to {LONGEST_DRAFT} tokens, not {self.draft_size}")

    def decode(self, run: Run) -> DecodingEvents:
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
        return repeated_continuation(run.sequence, size, run.config.control.all) or next(filter(None, drafts), [])

    def __str__(self) -> str:
        return f"lookup, draft {self.draft_size}"


@dataclass(frozen=True)
class Autoregressive:
    """One token a pass: the baseline."""

    def decode(self, run: Run) -> DecodingEvents:
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


def chain_canvas(run: Run, canvas: Canvas, least: float = 0.0) -> Step:
    """Fix masked slots of a canvas from the left by one pass, each knowing the tokens before it, and return the step.

    The pass gives the first masked slot its token; the local autoregression gives the next ones theirs, one after the
    other, from the states of the same pass (after CoDiLA, arXiv:2603.20216, and Hydra heads, arXiv:2402.05109).

    Args:
        least: the joint probability of the fixed run stays at least this high, but for its first slot. A draft that
            is verified afterwards has no such bound.
    """
    masked = canvas.masked
    predictions = run.predict_canvas(canvas, masked, states=True)
    fixed, confidences, joint = list[int](), list[float](), 1.0
    for index, slot in enumerate(masked.tolist()):
        if index and slot != masked[index - 1] + 1:
            break
        found = predictions if not index else run.predict_locally(canvas, slot, predictions.states[index : index + 1])
        tokens, probabilities = run.select_tokens(found)
        joint *= float(probabilities[0])
        if index and joint < least:
            break
        canvas.fix(np.array([slot]), tokens[:1], probabilities[:1])
        fixed.append(slot)
        confidences.append(float(probabilities[0]))
        if tokens[0] == run.request.end_token:
            break
    return Step(tuple(canvas.tokens.tolist()), tuple(fixed), tuple(confidences))


def choose_slots(
    policy: UnmaskingPolicy,
    confidence: npt.NDArray[np.float32],
    entropy: npt.NDArray[np.float32],
    ends: BoolArray,
    step: int,
    masked_at_start: int,
    margin: npt.NDArray[np.float32] | None = None,
) -> IntArray:
    """The masked slots to fix now, as indices into the W masked ones: what the policy says, under the end rule.

    The end token is not fixed while a slot left of it stays masked, and once it is, what lies right of it is dropped.
    So of the slots that would get it only the leftmost is offered to the policy, and it waits until all before it are
    fixed. Where the policy wants nothing but that one, the most confident slot before it is fixed instead, so that
    every step fixes at least one.

    Args:
        confidence, entropy: float32 [W], ascending by slot. ends: bool [W], which slots would get the end token.
        step: steps already done on this canvas. masked_at_start: slots that were masked before the first.
        margin: float32 [W], over the second best token; None where no policy asks.
    """
    first_end = int(np.argmax(ends)) if ends.any() else len(ends)
    offered = ~ends
    offered[first_end : first_end + 1] = True
    offers = np.flatnonzero(offered)
    margins = None if margin is None else margin[offers]
    candidates = Candidates(confidence[offers], entropy[offers], step, len(ends), masked_at_start, margins)
    chosen = offers[policy.select(candidates)]
    if first_end not in chosen:
        return chosen
    before = chosen[chosen < first_end]
    if len(before) == first_end:
        return np.append(before, first_end)
    waiting = chosen[chosen != first_end]
    return waiting if len(waiting) else np.array([np.argmax(confidence[:first_end])])


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


def repeated_continuation(sequence: Sequence[int], size: int, excluded: Sequence[int] = ()) -> list[int]:
    """Return up to `size` tokens that followed the longest, then latest, earlier occurrence of the sequence's end.

    Prompt lookup decoding, as transformers offers it (`prompt_lookup_num_tokens`); the idea is LLMA's
    (arXiv:2304.04487). Code repeats itself: names, calls and whole lines come again.

    Args:
        excluded: tokens that end a draft: control tokens, which are no text.
    """
    tokens = np.asarray(sequence, np.int64)
    # Where an earlier occurrence may end: anywhere before the last token.
    matches = np.ones(max(0, len(tokens) - 1), bool)
    best = np.zeros(0, np.int64)
    for length in range(1, min(LONGEST_MATCH, len(tokens) - 1) + 1):
        matches[length - 1 :] &= tokens[: len(tokens) - length] == tokens[-length]
        matches[: length - 1] = False
        found = np.flatnonzero(matches)
        if not len(found):
            break
        if length >= SHORTEST_MATCH:
            best = found
    if not len(best) or size < 1:
        return []
    start = int(best[-1]) + 1
    draft = tokens[start : start + size]
    stops = np.flatnonzero(np.isin(draft, excluded))
    return draft[: stops[0] if len(stops) else size].tolist()


def parse_algorithm(text: str, canvas_size: int) -> DecodingAlgorithm:
    """Return the algorithm of the policy that `text` names, with its parameters after colons.

    Raises:
        InputError: an unknown name or a parameter that does not fit; the message lists what exists.
    """
    policy, (_, *parameters) = policies.policy_of(text), text.split(":")
    if policy.unmasking:
        return BlockDiffusion(parse_policy(text, leftmost=True), canvas_size)
    match policy, parameters:
        case policies.AUTOREGRESSIVE, []:
            return Autoregressive()
        case policies.VERIFIED, []:
            return Verified(canvas_size)
        case policies.JOINT, []:
            return Joint(canvas_size=canvas_size)
        case policies.JOINT, [least] if _is_number(least):
            return Joint(float(least), canvas_size)
        case policies.LOOKUP, []:
            return Lookup()
        case policies.LOOKUP, [size] if size.isdecimal():
            return Lookup(int(size))
    raise policies.unknown_policy(text)


def known_policy(text: str) -> str:
    """Return the policy that `text` names. Raises InputError where it names none, or has a parameter that does not fit;
    also for a request that will not decode by it."""
    if text != policies.AUTO.name:
        parse_algorithm(text, canvas_size=1)
    return text


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False


def _check_canvas_size(size: int) -> None:
    if not 1 <= size <= LARGEST_CANVAS:
        raise InputError(f"a canvas has from 1 to {LARGEST_CANVAS} slots, not {size}")


def _require_greedy(request: DenoiseRequest) -> None:
    _refuse_fixed(request)
    if request.temperature:
        raise InputError(f"{request.algorithm} is greedy: leave temperature at 0, or choose another policy")


def _refuse_fixed(request: DenoiseRequest) -> None:
    if request.fixed:
        names = ", ".join(policy.name for policy in policies.UNMASKING)
        raise InputError(f"fixed slots need a canvas policy ({names}), not {request.algorithm}")
