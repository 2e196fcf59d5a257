"""The strategy of a loaded model, this project's or a published one: its decoding algorithms and its scores.

`strategy_of` chooses it when the model is loaded; whoever uses it need not ask which kind of model there is. The policy
`auto` stands for the fastest of the decoding methods that are equally good for a checkpoint, as measured here.

A `Scorer` scores a given text in a hole by it.
"""

from __future__ import annotations

import json
import statistics
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from coder.api.completion import CompletionRequest, DiffusionScore, Score, TokenScore
from coder.diffusion.block_diffusion import Autoregressive, BlockDiffusion, parse_algorithm
from coder.diffusion.canvas import Canvas
from coder.diffusion.events import UNLIMITED, TimeLimits
from coder.diffusion.likelihood import autoregressive_predictions, diffusion_bound, left_to_right_predictions
from coder.diffusion.policies import AUTO, AUTOREGRESSIVE, POLICIES, policy_of
from coder.diffusion.run import DecodingAlgorithm, DenoiseRequest, Run
from coder.diffusion.unmasking import Threshold
from coder.diffusion.whole_canvas import WholeCanvas, following_canvas, parse_published
from coder.editing.fill import Likelihoods
from coder.errors import InputError
from coder.generation.decoding import token_scores
from coder.generation.prompting import Prompting
from coder.model.checkpoint.config import DecodingProfile, ModelConfig
from coder.model.checkpoint.denoiser import Denoiser
from coder.model.checkpoint.tokens import Tokenizer
from coder.model.remembered import recalled, remember
from coder.model.runtime import Cache, CachePool, Pass, Predictions, Runtime

COSTS = "pass-costs"

WIDTHS = (1, 3, 5, 9, 17, 33)
"""Positions of the passes that are measured: the anchor alone, and with 2 to 32 slots."""

REPEATS = 3

CONTEXT_TOKENS = 192
"""Cached tokens while measuring: attention's share of a pass grows with them, for all widths alike."""


@dataclass(frozen=True)
class PassCosts:
    """Milliseconds of a forward pass by its positions, on the machine it was measured on."""

    milliseconds: dict[int, float]

    def of_width(self, positions: int) -> float:
        """Return the cost of a pass over `positions`, interpolated between the measured ones."""
        known = sorted(self.milliseconds)
        above = next((width for width in known if width >= positions), known[-1])
        below = max((width for width in known if width <= positions), default=known[0])
        low, high = self.milliseconds[below], self.milliseconds[above]
        if above == below:
            return low * max(1.0, positions / known[-1])
        return low + (high - low) * (positions - below) / (above - below)

    @staticmethod
    def of(runtime: Runtime) -> PassCosts:
        """Return the costs, measured once for a runtime on a machine and kept in the user's cache folder."""
        key = json.dumps([runtime.description, runtime.config.hidden_size, runtime.config.num_layers], sort_keys=True)
        known = recalled(COSTS)
        if key not in known:
            known[key] = {str(width): cost for width, cost in measure_passes(runtime).items()}
            remember(COSTS, known)
        return PassCosts({int(width): cost for width, cost in known[key].items()})


def measure_passes(runtime: Runtime) -> dict[int, float]:
    """Measure the milliseconds of a canvas pass by its positions, in a fraction of a second."""
    config = runtime.config
    token, cache = config.control.fim_prefix, runtime.new_cache()
    context = min(CONTEXT_TOKENS, config.max_positions - max(WIDTHS) - 1)
    runtime.forward(cache, Pass([token] * context, commit=context))
    costs = {}
    for width in WIDTHS:
        request = Pass([token] * width, wanted=range(width), causal=width == 1)
        times = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            runtime.forward(cache, request)
            times.append(time.perf_counter() - start)
        costs[width] = 1000.0 * statistics.median(times)
    return costs


def choose_policy(config: ModelConfig, costs: PassCosts, canvas_size: int | None = None) -> tuple[str, int]:
    """Return name and canvas size of the cheapest method on the checkpoint's card, never slower than one token a pass.

    Args:
        canvas_size: admits only methods of this size, and autoregressive decoding.
    """
    profiles = [profile for profile in config.decoding if canvas_size in (None, profile.canvas_size)]
    one_token = DecodingProfile(AUTOREGRESSIVE.name, canvas_size or min(config.block_sizes), 0.0, 1.0)
    best = min([one_token, *profiles], key=lambda profile: milliseconds_per_token(profile, costs))
    return best.policy, best.canvas_size


def milliseconds_per_token(profile: DecodingProfile, costs: PassCosts) -> float:
    """Return the expected cost of a token: the passes it takes, each as wide as the method makes it."""
    wide = costs.of_width(profile.canvas_size + 1)
    commit = costs.of_width(1) if profile.policy == AUTOREGRESSIVE.name else wide
    return profile.canvas_passes_per_token * wide + profile.commit_passes_per_token * commit


class Strategy(ABC):
    """The way one loaded model is decoded and scored. Like its runtime, for one thread at a time.

    Attributes:
        also_end: tokens that end an answer besides the end token.
        guidance: scale of classifier-free guidance; 0 is none.
        finds_end: whether the model sees what is behind a hole, so that it needs no help to end there.
    """

    also_end: tuple[int, ...] = ()
    guidance: float = 0.0
    finds_end: bool = False

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    @abstractmethod
    def algorithm(self, policy: str, canvas_size: int | None = None, temperature: float = 0.0) -> DecodingAlgorithm:
        """Return the algorithm of a policy. Raises InputError for one that the model cannot decode with."""

    @abstractmethod
    def refilling(self, algorithm: DecodingAlgorithm) -> DecodingAlgorithm:
        """Return the algorithm that denoises masked positions inside an output of `algorithm`."""

    @abstractmethod
    def next_canvas(self, run: Run, canvas_size: int | None) -> Canvas | None:
        """Return the canvas behind a run's sequence; None where the next token comes from a context pass."""

    @abstractmethod
    def predictions_along(
        self,
        cache: Cache,
        context: Sequence[int],
        continuation: Sequence[int],
        control_tokens: tuple[int, ...] = (),
        suffix: Sequence[int] = (),
        limits: TimeLimits = UNLIMITED,
    ) -> Predictions:
        """Predict each token of `continuation`, those before it known, with its log-probability.

        Args:
            control_tokens: control tokens that are possible at all.
            suffix: tokens behind the continuation, for a model that sees them.

        Raises:
            Stopped: a limit is reached.
        """

    def diffusion_bound(
        self,
        cache: Cache,
        context: Sequence[int],
        continuation: Sequence[int],
        samples: int,
        seed: int,
        canvas_size: int | None = None,
        suffix: Sequence[int] = (),
    ) -> npt.NDArray[np.float64]:
        """Return float64 [samples], nats: see `coder.diffusion.likelihood.diffusion_bound`."""
        run = self.scoring_run(cache, context, len(continuation), (), suffix)
        return diffusion_bound(run, continuation, lambda run: self.next_canvas(run, canvas_size), samples, seed)

    def scoring_run(
        self,
        cache: Cache,
        context: Sequence[int],
        tokens: int,
        control_tokens: tuple[int, ...],
        suffix: Sequence[int],
        limits: TimeLimits = UNLIMITED,
    ) -> Run:
        """Return a run for the passes that score a text of so many tokens; its algorithm is not used."""
        request = DenoiseRequest(
            context,
            cache,
            Autoregressive(),
            self.runtime.config.control.fim_end,
            max(1, tokens),
            control_tokens=control_tokens,
            suffix=suffix,
            deadline=limits.deadline,
            cancelled=limits.cancelled,
            guidance=self.guidance,
        )
        return Run(self.runtime, request)


class AdaptedStrategy(Strategy):
    """This project's own models: causal context, canvases behind an anchor."""

    def __init__(self, runtime: Runtime, costs: PassCosts | None = None) -> None:
        """Without the `costs` of passes they are measured when `auto` first needs to know them."""
        super().__init__(runtime)
        self._costs = costs

    def algorithm(self, policy: str, canvas_size: int | None = None, temperature: float = 0.0) -> DecodingAlgorithm:
        """Return the algorithm of a policy. Sampled, `auto` and the greedy policies are autoregressive."""
        config, named = self.runtime.config, policy_of(policy)
        if not config.adapted and named.canvas:
            names = ", ".join(other.name for other in POLICIES if not other.canvas)
            raise InputError(
                "the checkpoint has not been adapted to fill a canvas (its config.json says so), so it cannot decode "
                f"with {policy}; use {names}, or train it"
            )
        if named.local and not config.local_width:
            raise InputError(f"the checkpoint has no local autoregression, so it cannot decode with {policy}")
        if temperature and (named == AUTO or named.greedy):
            policy = AUTOREGRESSIVE.name
        elif named == AUTO:
            self._costs = self._costs or PassCosts.of(self.runtime)
            policy, canvas_size = choose_policy(config, self._costs, canvas_size)
        return parse_algorithm(policy, default_canvas_size(config) if canvas_size is None else canvas_size)

    def refilling(self, algorithm: DecodingAlgorithm) -> DecodingAlgorithm:
        if isinstance(algorithm, BlockDiffusion):
            return algorithm
        return BlockDiffusion(Threshold(), max(self.runtime.config.block_sizes))

    def next_canvas(self, run: Run, canvas_size: int | None) -> Canvas:
        return run.new_canvas(canvas_size or default_canvas_size(run.config), run.remaining)

    def predictions_along(
        self,
        cache: Cache,
        context: Sequence[int],
        continuation: Sequence[int],
        control_tokens: tuple[int, ...] = (),
        suffix: Sequence[int] = (),
        limits: TimeLimits = UNLIMITED,
    ) -> Predictions:
        return autoregressive_predictions(self.runtime, cache, context, continuation, control_tokens, limits=limits)


class PublishedStrategy(Strategy):
    """A published diffusion model, decoded as its family is."""

    finds_end = True

    def __init__(self, runtime: Runtime, denoiser: Denoiser) -> None:
        super().__init__(runtime)
        self.also_end = denoiser.ends[1:]
        self.guidance = denoiser.guidance

    def algorithm(self, policy: str, canvas_size: int | None = None, temperature: float = 0.0) -> DecodingAlgorithm:
        return parse_published(policy, self.runtime.config, canvas_size)

    def refilling(self, algorithm: DecodingAlgorithm) -> DecodingAlgorithm:
        # The output's length is known, so no other one is tried.
        return replace(algorithm, lengths=()) if isinstance(algorithm, WholeCanvas) else algorithm

    def next_canvas(self, run: Run, canvas_size: int | None = None) -> Canvas | None:
        return following_canvas(run)

    def predictions_along(
        self,
        cache: Cache,
        context: Sequence[int],
        continuation: Sequence[int],
        control_tokens: tuple[int, ...] = (),
        suffix: Sequence[int] = (),
        limits: TimeLimits = UNLIMITED,
    ) -> Predictions:
        run = self.scoring_run(cache, context, len(continuation), control_tokens, suffix, limits)
        return left_to_right_predictions(run, continuation, self.next_canvas)


def strategy_of(runtime: Runtime, costs: PassCosts | None = None) -> Strategy:
    """Return the strategy for the model of a runtime.

    Args:
        costs: of the runtime's passes, where they were measured before.
    """
    denoiser = runtime.config.denoiser
    return AdaptedStrategy(runtime, costs) if denoiser is None else PublishedStrategy(runtime, denoiser)


def default_canvas_size(config: ModelConfig) -> int:
    """Return 16 slots, or the largest size below that the checkpoint was trained with."""
    return max((size for size in config.block_sizes if size <= 16), default=min(config.block_sizes))


ANYWHERE = CompletionRequest("")
"""A place of which nothing is known."""


@dataclass(frozen=True)
class Scorer:
    """Like the runtime, for one thread at a time. Its methods raise Stopped where a limit is reached."""

    strategy: Strategy
    prompting: Prompting
    tokenizer: Tokenizer
    caches: CachePool

    def likelihoods(
        self, request: CompletionRequest, limits: TimeLimits, most_tokens: int | None = None
    ) -> Likelihoods:
        """Return the scores of texts in the place of a request, by prompts that share the beginning of its own."""
        known = {"limits": limits, "like": request, "most_tokens": most_tokens}
        return Likelihoods(partial(self.score, **known), partial(self.score_tokens, **known))

    def score(
        self,
        prefix: str,
        suffix: str,
        middle: str,
        limits: TimeLimits = UNLIMITED,
        like: CompletionRequest = ANYWHERE,
        most_tokens: int | None = None,
    ) -> Score:
        """Score `middle` token by token, and the end behind it.

        Args:
            like: a request about the same place, which says what else the model is shown.
            most_tokens: of the context, as in the prompt of that request.
        """
        end_token = self.tokenizer.control.fim_end
        prompt = self.prompting.prompt(replace(like, prefix=prefix, suffix=suffix), most_tokens)
        tokens = self.tokenizer.encode(middle + prompt.around.line_break)
        # A model that sees what is behind the text knows where it ends.
        continuation = tokens if prompt.after else [*tokens, end_token]
        cache = self.caches.take(prompt.tokens[:-1])
        along = self.strategy.predictions_along(cache, prompt.tokens, continuation, (end_token,), prompt.after, limits)
        values, best = along.log_probability, along.tokens[:, 0] == continuation
        written = len(tokens)
        end = float(values[written:].sum())
        return Score(float(values[:written].sum()), end, written, greedy=bool(best[:written].all()))

    def score_tokens(
        self,
        prefix: str,
        suffix: str,
        text: str,
        limits: TimeLimits = UNLIMITED,
        like: CompletionRequest = ANYWHERE,
        most_tokens: int | None = None,
    ) -> tuple[TokenScore, ...]:
        """Score each token of `text`, with the tokens that the model would have written instead."""
        prompt = self.prompting.prompt(replace(like, prefix=prefix, suffix=suffix), most_tokens)
        tokens = self.tokenizer.encode(text)
        cache = self.caches.take(prompt.tokens[:-1])
        along = self.strategy.predictions_along(cache, prompt.tokens, tokens, suffix=prompt.after, limits=limits)
        return token_scores(tokens, along, self.tokenizer)

    def diffusion_score(
        self, prefix: str, suffix: str, middle: str, canvas_size: int | None, samples: int, seed: int
    ) -> DiffusionScore:
        """Score `middle` by the denoiser: a lower bound and its standard error."""
        prompt = self.prompting.prompt(CompletionRequest(prefix, suffix))
        tokens = self.tokenizer.encode(middle)
        cache = self.caches.take(prompt.tokens[:-1])
        estimates = self.strategy.diffusion_bound(
            cache, prompt.tokens, tokens, samples, seed, canvas_size, prompt.after
        )
        error = float(estimates.std(ddof=1)) / samples**0.5 if samples > 1 else float("inf")
        return DiffusionScore(float(estimates.mean()), error, len(tokens))
