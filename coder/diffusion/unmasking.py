"""Unmasking policies, which choose the slots that a step fixes, and the token that a slot gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal, Protocol, cast

import numpy as np
import numpy.typing as npt

from coder.diffusion import policies
from coder.diffusion.policies import Policy
from coder.diffusion.schedules import CosineSchedule, LinearSchedule, Schedule, masked_counts
from coder.errors import InputError
from coder.model.runtime import Predictions

LOWEST_NOISE = 1e-3
"""The last of Dream's noise levels (`eps`)."""

MOST_STEPS = 4096
"""More steps than any canvas has slots change nothing."""

LARGEST_FACTOR, LARGEST_BOUND = 64.0, 100.0
"""From here on every slot is fixed at once, whatever it is."""

BoolArray = npt.NDArray[np.bool_]
TokenArray = npt.NDArray[np.int64]
ProbabilityArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Candidates:
    """The C slots that a step may fix, from left to right, and the step's place in the canvas.

    Attributes:
        confidence: float32 [C], probability of the token that the slot would get.
        entropy: float32 [C], nats, of the slot's whole distribution.
        step: steps already done on this canvas.
        masked: slots masked now, candidates or not; `masked_at_start`: before the first step.
        margin: float32 [C], how much likelier the likeliest token is than the next; None is 0 everywhere.
    """

    confidence: npt.NDArray[np.float32]
    entropy: npt.NDArray[np.float32]
    step: int
    masked: int
    masked_at_start: int
    margin: npt.NDArray[np.float32] | None = None


class UnmaskingPolicy(Protocol):
    """A rule for which of the masked slots a step fixes."""

    def select(self, candidates: Candidates) -> BoolArray:
        """Return the candidates to fix now: bool [C], at least one of them where there is any."""
        ...


@dataclass(frozen=True)
class Threshold:
    """Fix every slot at least this confident, and always the most confident one (Fast-dLLM, arXiv:2505.22618).

    Attributes:
        leftmost: where no slot is sure, the first one is fixed instead of the most confident: right behind the settled
            text, it is the one that block diffusion predicts best.
    """

    confidence: float = 0.9
    leftmost: bool = False

    def __post_init__(self) -> None:
        _require(0.0 <= self.confidence <= 1.0, f"threshold takes a probability from 0 to 1, not {self.confidence:g}")

    def select(self, candidates: Candidates) -> BoolArray:
        chosen = candidates.confidence >= self.confidence
        if not chosen.any():
            chosen[0 if self.leftmost else np.argmax(candidates.confidence)] = True
        return chosen

    def __str__(self) -> str:
        return f"threshold({self.confidence:g})"


@dataclass(frozen=True)
class Factor:
    """Fix the n most confident slots, for the largest n with (n + 1)(1 - c_n) < factor; c_n is the n-th confidence.

    The more slots are fixed at once, the surer the least sure of them must be, so that their joint best guess stays
    the product of the single ones (Fast-dLLM, arXiv:2505.22618, theorem 1 and the factor strategy drawn from it).
    """

    factor: float = 1.0

    def __post_init__(self) -> None:
        in_range = 0.0 < self.factor <= LARGEST_FACTOR
        _require(in_range, f"factor takes a number above 0 and up to {LARGEST_FACTOR:g}, not {self.factor:g}")

    def select(self, candidates: Candidates) -> BoolArray:
        order = np.argsort(-candidates.confidence, kind="stable")
        doubt = 1.0 - candidates.confidence[order].astype(np.float64)
        # Both (n + 1) and the doubt grow along the order, so those that pass are its beginning.
        passing = int(np.count_nonzero(np.arange(2, len(order) + 2) * doubt < self.factor))
        return _first(order, max(1, passing))

    def __str__(self) -> str:
        return f"factor({self.factor:g})"


@dataclass(frozen=True)
class EntropyBound:
    """Fix the largest set of lowest-entropy slots whose entropies sum, but for the largest, to at most `bound` nats.

    That sum bounds how much the slots can tell about each other, which fixing them independently ignores
    (EB-Sampler, arXiv:2505.24857; the order is by entropy, one of the error proxies it proposes).
    """

    bound: float = 0.1

    def __post_init__(self) -> None:
        in_range = 0.0 <= self.bound <= LARGEST_BOUND
        _require(in_range, f"entropy takes a bound from 0 to {LARGEST_BOUND:g} nats, not {self.bound:g}")

    def select(self, candidates: Candidates) -> BoolArray:
        order = np.argsort(candidates.entropy, kind="stable")
        ascending = candidates.entropy[order].astype(np.float64)
        all_but_largest = np.cumsum(ascending) - ascending
        return _first(order, int(np.count_nonzero(all_but_largest <= self.bound)))

    def __str__(self) -> str:
        return f"entropy({self.bound:g})"


@dataclass(frozen=True)
class FixedSteps:
    """Fix as many slots as the schedule says for this step, the most confident first, in at most `steps` steps."""

    steps: int = 8
    schedule: Schedule = field(default_factory=LinearSchedule)

    def __post_init__(self) -> None:
        _require_steps("fixed", self.steps)

    def select(self, candidates: Candidates) -> BoolArray:
        # Constraints may have kept slots masked that were to be fixed: a step behind the last one fixes what is left.
        step = min(candidates.step + 1, self.steps)
        still_masked = masked_counts(self.schedule, candidates.masked_at_start, self.steps)[step]
        order = np.argsort(-candidates.confidence, kind="stable")
        return _first(order, max(1, candidates.masked - int(still_masked)))

    def __str__(self) -> str:
        return f"fixed({self.steps} steps, {self.schedule})"


@dataclass(frozen=True)
class Scheduled:
    """Fix the best slots, as many as a published schedule says for this step.

    Attributes:
        schedule: `even`: the same number at every step, one more at the first ones where that does not come out (LLaDA,
            arXiv:2502.09992, `get_num_transfer_tokens`). `proportional`: the share of the masked slots that the noise
            level falls by, rounded down, and all that are left at the last step (Dream, arXiv:2508.15487, `_sample`).
        steps: None: as many as there are masked slots.
        by: the ranking of slots: `confidence`, of its likeliest token (MaskGIT, arXiv:2202.04200); `entropy`, the
            lowest; `margin`, over the next token (arXiv:2502.06768).
    """

    schedule: Literal["even", "proportional"]
    steps: int | None = None
    by: Literal["confidence", "entropy", "margin"] = "confidence"

    def __post_init__(self) -> None:
        if self.steps is not None:
            _require_steps(self.schedule, self.steps)

    def select(self, candidates: Candidates) -> BoolArray:
        margin = np.zeros_like(candidates.confidence) if candidates.margin is None else candidates.margin
        scores = {"confidence": candidates.confidence, "entropy": -candidates.entropy, "margin": margin}
        counts = published_counts(self.schedule, candidates.masked_at_start, self.steps)
        # Constraints may have kept slots masked that were to be fixed: a step behind the last one fixes what is left.
        count = counts[candidates.step] if candidates.step < len(counts) else candidates.masked
        return _first(np.argsort(-scores[self.by], kind="stable"), count)

    def __str__(self) -> str:
        steps = "a slot a step" if self.steps is None and self.schedule == "even" else f"{self.steps or 'all'} steps"
        return f"{self.schedule}({steps}, by {self.by})"


@lru_cache(maxsize=1024)
def published_counts(schedule: str, slots: int, steps: int | None) -> tuple[int, ...]:
    """Return the number of `slots` that each step fixes. Steps that fix none are left out: they change nothing."""
    steps = slots if steps is None else steps
    if schedule == "even":
        counts = [slots // steps + (step < slots % steps) for step in range(steps)]
    else:
        levels = np.linspace(1.0, LOWEST_NOISE, steps + 1, dtype=np.float32)
        counts, left = [], slots
        for step in range(steps):
            share = np.float32(1.0) - levels[step + 1] / levels[step]
            counts.append(int(np.float32(left) * share) if step < steps - 1 else left)
            left -= counts[-1]
    return tuple(count for count in counts if count)


def _first(order: npt.NDArray[np.int64], count: int) -> BoolArray:
    chosen = np.zeros(len(order), np.bool_)
    chosen[order[:count]] = True
    return chosen


def _require_steps(policy: str, steps: int) -> None:
    _require(1 <= steps <= MOST_STEPS, f"{policy} takes from 1 to {MOST_STEPS} steps, not {steps}")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise InputError(message)


def select_tokens(
    predictions: Predictions, temperature: float, top_p: float, generator: np.random.Generator
) -> tuple[TokenArray, ProbabilityArray]:
    """Select a token for each of the W predicted positions: the most likely one, or a draw.

    At temperature 0 it is the best token. Otherwise it is drawn among the candidates of the prediction: first cut to
    the nucleus, the fewest best tokens whose probabilities sum to `top_p` (Holtzman et al., arXiv:1904.09751), or all
    candidates where they do not reach it; then reweighted by p^(1 / temperature).

    Returns:
        tokens int64 [W] and their probabilities float32 [W], those of the model: neither temperature nor nucleus
        changes how confident it is.
    """
    if temperature == 0.0:
        return predictions.tokens[:, 0], predictions.probabilities[:, 0]
    probabilities = predictions.probabilities.astype(np.float64)
    better = np.cumsum(probabilities, axis=1) - probabilities
    # Relative to the best token, so that a low temperature cannot underflow every weight.
    weights = (probabilities / probabilities[:, :1]) ** (1.0 / temperature)
    weights[better >= top_p] = 0.0
    cumulative = np.cumsum(weights, axis=1)
    draws = generator.random((len(weights), 1)) * cumulative[:, -1:]
    rows, chosen = np.arange(len(weights)), np.argmax(cumulative > draws, axis=1)
    return predictions.tokens[rows, chosen], predictions.probabilities[rows, chosen]


def _fixed(steps: str = "8", schedule: str = "linear") -> FixedSteps:
    return FixedSteps(int(steps), {"linear": LinearSchedule(), "cosine": CosineSchedule()}[schedule])


def _scheduled(schedule: Literal["even", "proportional"], *parameters: str) -> Scheduled:
    rankings = ("confidence", "entropy", "margin")
    *numbers, by = parameters if parameters and parameters[-1] in rankings else (*parameters, "confidence")
    if len(numbers) > 1:
        raise ValueError(parameters)
    return Scheduled(schedule, int(numbers[0]) if numbers else None, cast("Literal['confidence']", by))


CONSTRUCTORS: Mapping[Policy, Callable[..., UnmaskingPolicy]] = {
    policies.THRESHOLD: lambda number="0.9": Threshold(float(number)),
    policies.FACTOR: lambda *numbers: Factor(*map(float, numbers)),
    policies.ENTROPY: lambda *numbers: EntropyBound(*map(float, numbers)),
    policies.FIXED: _fixed,
    policies.EVEN: lambda *parameters: _scheduled("even", *parameters),
    policies.PROPORTIONAL: lambda *parameters: _scheduled("proportional", *parameters),
}
"""A constructor for each unmasking policy, from the parameters that follow its name."""


def parse_policy(text: str, leftmost: bool = False) -> UnmaskingPolicy:
    """Return the policy that `text` names, its parameters after colons (`threshold:0.85`, `fixed:4:cosine`).

    Args:
        leftmost: as `Threshold` takes it.

    Raises:
        InputError: an unknown name or a parameter that does not fit.
    """
    name, *parameters = text.split(":")
    for policy, construct in CONSTRUCTORS.items():
        if policy.name == name:
            try:
                found = construct(*parameters)
                return replace(found, leftmost=leftmost) if isinstance(found, Threshold) else found
            except (LookupError, TypeError, ValueError):
                break  # a parameter too many, or one that is no number: answered like a text that names no policy
    raise policies.unknown_policy(text, CONSTRUCTORS)
