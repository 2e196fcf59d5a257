"""Scores of a given text in a hole, asked of a loaded model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from coder.api.completion import CompletionRequest, DiffusionScore, Score, TokenScore
from coder.diffusion.limits import UNLIMITED, TimeLimits
from coder.editing.fill import Likelihoods
from coder.generation.decoding import token_scores
from coder.generation.prompting import Prompting
from coder.generation.strategy import Strategy
from coder.model.checkpoint.tokens import Tokenizer
from coder.model.runtime import CachePool

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
        tokens = self.tokenizer.encode(middle)
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
