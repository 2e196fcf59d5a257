"""Remasking policies: which tokens of a finished output are masked again, and the rounds of doing so.

A masked diffusion sampler keeps what it once fixed; taking some of it back lets later evidence count (ReMDM,
arXiv:2503.00307). Here an output is refined whole: doubtful positions are masked, all others stay, and what is denoised
in their place is kept only where the autoregressive pass finds the whole likelier and no more of it is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from coder.diffusion.block_diffusion import BlockDiffusion
from coder.diffusion.events import Committed, Finished, Statistics
from coder.diffusion.run import DenoiseRequest
from coder.diffusion.sampler import Sampler
from coder.diffusion.scoring import predictions_along, score
from coder.diffusion.unmasking import Threshold
from coder.diffusion.whole_canvas import WholeCanvas
from coder.errors import InputError
from coder.model.checkpoint.config import ModelConfig
from coder.model.runtime import Pass, Runtime

REMASKING_FORMS = ("syntax[:ROUNDS]", "names[:ROUNDS]", "confidence[:ROUNDS]")
DEFAULT_ROUNDS = 2

WrongPositions = Callable[[Sequence[int]], Sequence[int]]
"""Which positions of an output, in token ids, are wrong; asked of somebody who can read it."""


class RemaskingPolicy(Protocol):
    def positions(self, runtime: Runtime, request: DenoiseRequest, tokens: Sequence[int]) -> Sequence[int]:
        """The positions of an output to be masked again, ascending; none ends the rounds."""
        ...


@dataclass(frozen=True)
class SyntaxErrors:
    """Mask what belongs to broken nodes of the joined text's syntax tree."""

    wrong: WrongPositions

    def positions(self, runtime: Runtime, request: DenoiseRequest, tokens: Sequence[int]) -> Sequence[int]:
        return self.wrong(tokens)


@dataclass(frozen=True)
class UndefinedNames:
    """Mask names that the joined text defines nowhere."""

    wrong: WrongPositions

    def positions(self, runtime: Runtime, request: DenoiseRequest, tokens: Sequence[int]) -> Sequence[int]:
        return self.wrong(tokens)


@dataclass(frozen=True)
class LowConfidence:
    """Mask tokens that became unlikely now that all of the output is visible. Only for checkpoints that were trained to
    correct visible tokens: of any other the opinion on them means nothing.

    Attributes:
        confidence: the least probability that a token keeps its place with.
    """

    confidence: float = 0.1

    @staticmethod
    def of(config: ModelConfig) -> LowConfidence:
        """Raises InputError for a checkpoint that was not trained to correct itself."""
        if not config.abilities.correction:
            raise InputError(
                "this checkpoint was not trained to correct itself, so remasking by confidence has nothing to go by; "
                "choose syntax or names"
            )
        return LowConfidence()

    def positions(self, runtime: Runtime, request: DenoiseRequest, tokens: Sequence[int]) -> Sequence[int]:
        """One canvas pass over the whole output, which predicts its visible tokens."""
        predictions_along(runtime, request.cache, request.context, [])
        canvas = Pass([request.context[-1], *tokens], range(len(tokens)), causal=False, given=tokens)
        probabilities = np.exp(runtime.forward(request.cache, canvas).log_probability)
        return np.flatnonzero(probabilities < self.confidence).tolist()


@dataclass(frozen=True)
class Refined:
    """An output after the rounds, and what they cost besides."""

    tokens: tuple[int, ...]
    statistics: Statistics


def refine(
    runtime: Runtime, request: DenoiseRequest, tokens: Sequence[int], policy: RemaskingPolicy, rounds: int
) -> Refined:
    """At most `rounds` times mask what the policy doubts of the output `tokens` and denoise it again.

    Args:
        request: the one that led to the output, whose end token followed it.

    Returns: an output of the same length, never less likely by the autoregressive pass than `tokens`, and with no more
    positions in doubt.
    """
    best, statistics = tuple(tokens), Statistics(str(request.algorithm))
    likelihood = None
    doubtful = policy.positions(runtime, request, best)
    for _ in range(rounds):
        if not doubtful or request.cancelled():
            break
        if likelihood is None:
            likelihood = _log_probability(runtime, request, best)
        other, costs = _denoised_again(runtime, request, best, doubtful)
        statistics = statistics.with_cost_of(costs)
        if other is None or other == best:
            break
        still_doubtful = policy.positions(runtime, request, other)
        likelihood_of_other = _log_probability(runtime, request, other)
        if likelihood_of_other < likelihood or len(still_doubtful) > len(doubtful):
            break
        best, likelihood, doubtful = other, likelihood_of_other, still_doubtful
    return Refined(best, statistics)


def parse_remasking(text: str) -> tuple[str, int]:
    """Name and number of rounds: `syntax`, `names` or `confidence`, and a number after a colon.

    Raises InputError for anything else.
    """
    name, _, rounds = text.partition(":")
    if name in ("syntax", "names", "confidence") and (rounds.isdecimal() or rounds == ""):
        return name, int(rounds or DEFAULT_ROUNDS)
    raise InputError(f"there is no remasking {text!r}; write one of {', '.join(REMASKING_FORMS)}")


def _denoised_again(
    runtime: Runtime, request: DenoiseRequest, tokens: Sequence[int], doubtful: Sequence[int]
) -> tuple[tuple[int, ...] | None, Statistics]:
    """The output with the doubtful positions denoised again; None where the run was stopped."""
    kept = {position: token for position, token in enumerate(tokens) if position not in set(doubtful)}
    algorithm = request.algorithm
    if runtime.config.denoiser is not None:
        algorithm = replace(algorithm, lengths=()) if isinstance(algorithm, WholeCanvas) else algorithm
    elif not isinstance(algorithm, BlockDiffusion):
        algorithm = BlockDiffusion(Threshold(), max(runtime.config.block_sizes))
    again = replace(
        request,
        algorithm=algorithm,
        max_tokens=len(tokens) + 1,
        fixed={**kept, len(tokens): request.end_token},
    )
    written: list[int] = []
    for event in Sampler(runtime).denoise(again):
        if isinstance(event, Committed):
            written.extend(event.tokens)
        elif isinstance(event, Finished):
            whole = event.reason == "end" and len(written) == len(tokens)
            return tuple(written) if whole else None, event.statistics
    raise AssertionError("a run ends with Finished")


def _log_probability(runtime: Runtime, request: DenoiseRequest, tokens: Sequence[int]) -> float:
    given = [*tokens, request.end_token]
    return float(
        score(runtime, request.cache, request.context, given, (request.end_token,), suffix=request.suffix).sum()
    )
