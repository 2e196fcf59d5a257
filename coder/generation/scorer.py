"""How likely a model finds a given text in a hole: the engine's scores, worked out in tokens."""

from __future__ import annotations

from dataclasses import dataclass

from coder.api.completion import CompletionRequest, DiffusionScore, Score, TokenScore
from coder.diffusion.denoiser_scoring import bound
from coder.diffusion.likelihood import diffusion_bound
from coder.diffusion.scoring import predictions_along
from coder.generation.decoding import token_scores
from coder.generation.decoding_methods import default_canvas_size
from coder.generation.prompting import Prompting
from coder.model.cache_pool import CachePool
from coder.model.checkpoint.tokens import Tokenizer
from coder.model.runtime import Runtime


@dataclass(frozen=True)
class Scorer:
    """Like the runtime, for one thread at a time."""

    runtime: Runtime
    prompting: Prompting
    tokenizer: Tokenizer
    caches: CachePool

    def score(self, prefix: str, suffix: str, middle: str) -> Score:
        """By the autoregressive pass."""
        end_token = self.runtime.config.control.fim_end
        prompt = self.prompting.prompt(CompletionRequest(prefix, suffix))
        tokens = self.tokenizer.encode(middle)
        # A model that sees what is behind the text knows where it ends.
        continuation = tokens if prompt.after else [*tokens, end_token]
        cache = self.caches.take(prompt.tokens[:-1])
        along = predictions_along(
            self.runtime, cache, prompt.tokens, continuation, control_tokens=(end_token,), suffix=prompt.after
        )
        values, best = along.log_probability, along.tokens[:, 0] == continuation
        written = len(tokens)
        end = float(values[written:].sum())
        return Score(float(values[:written].sum()), end, written, greedy=bool(best[:written].all()))

    def score_tokens(self, prefix: str, suffix: str, text: str) -> tuple[TokenScore, ...]:
        """Token by token, with what the model would have written instead."""
        prompt = self.prompting.prompt(CompletionRequest(prefix, suffix))
        tokens = self.tokenizer.encode(text)
        cache = self.caches.take(prompt.tokens[:-1])
        along = predictions_along(self.runtime, cache, prompt.tokens, tokens, suffix=prompt.after)
        return token_scores(tokens, along, self.tokenizer)

    def diffusion_score(
        self, prefix: str, suffix: str, middle: str, canvas_size: int | None, samples: int, seed: int
    ) -> DiffusionScore:
        """By the denoiser."""
        end_token = self.runtime.config.control.fim_end
        prompt = self.prompting.prompt(CompletionRequest(prefix, suffix))
        tokens = self.tokenizer.encode(middle)
        cache, context = self.caches.take(prompt.tokens[:-1]), prompt.tokens
        if self.runtime.config.denoiser is not None:
            estimates = bound(self.runtime, cache, context, tokens, samples, seed, (end_token,), prompt.after)
        else:
            size = canvas_size or default_canvas_size(self.runtime.config)
            estimates = diffusion_bound(self.runtime, cache, context, tokens, size, samples, seed, (end_token,))
        error = float(estimates.std(ddof=1)) / samples**0.5 if samples > 1 else float("inf")
        return DiffusionScore(float(estimates.mean()), error, len(tokens))
