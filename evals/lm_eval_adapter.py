"""EleutherAI's lm-evaluation-harness on the same checkpoints (the extra `lm-eval`).

    python -m evals.lm_eval_adapter run --model quickfill --model_args likelihood=autoregressive --tasks arc_easy

takes the harness's own options and knows the model `quickfill` besides. A context is what stands before a hole with
nothing behind it, and is cut to the engine's window, its beginning first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lm_eval.api.instance import Instance  # pyright: ignore[reportMissingImports]
from lm_eval.api.model import LM  # pyright: ignore[reportMissingImports]
from lm_eval.api.registry import register_model  # pyright: ignore[reportMissingImports]

from coder.api.completion import CompletionRequest, Decoding
from coder.engine.engine import Engine, RuntimeName
from coder.errors import InputError
from evals.benchmarks.benchmark import cut_at

LIKELIHOODS = ("autoregressive", "diffusion")
DIFFUSION_POLICY = "threshold:0.9"
MOST_PIECE_TOKENS = 1024
"""The most tokens of a text that is scored from its start on; it is cut at line ends."""


@register_model("quickfill")
class QuickfillLM(LM):
    """An engine behind the harness's interface.

    Args:
        model, runtime, threads: as `Engine.load` takes them.
        policy, canvas: how texts are written.
        likelihood: `autoregressive`, by the causal pass, exact; or `diffusion`, an estimate of a lower bound.
        samples, seed: of that Monte-Carlo estimate, for each canvas.
        max_tokens: of a text where a task does not say.
        batch_size, max_batch_size, device: accepted from the harness; the engine decides itself.
    """

    def __init__(
        self,
        model: str = "embedded",
        policy: str = "auto",
        canvas: int | None = None,
        likelihood: str = "autoregressive",
        samples: int = 16,
        seed: int = 0,
        max_tokens: int = 256,
        runtime: RuntimeName = "auto",
        threads: int | None = None,
        batch_size: int | str | None = None,
        max_batch_size: int | None = None,
        device: str | None = None,
    ) -> None:
        """Raises InputError for a likelihood that does not exist; otherwise as `Engine.load`."""
        super().__init__()
        if likelihood not in LIKELIHOODS:
            raise InputError(f"there is no likelihood {likelihood!r}; there are: {', '.join(LIKELIHOODS)}")
        self._engine = Engine.load(model, runtime=runtime, threads=threads)
        self._policy, self._canvas, self._max_tokens = policy, canvas, max_tokens
        self._diffusion = likelihood == "diffusion"
        self._samples, self._seed = samples, seed

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:
        return [self._generate(*request.args) for request in requests]

    def loglikelihood(self, requests: list[Instance], disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        return [self._likelihood(*request.args) for request in requests]

    def loglikelihood_rolling(self, requests: list[Instance], disable_tqdm: bool = False) -> list[float]:
        return [self._rolling(request.args[0]) for request in requests]

    def _generate(self, context: str, options: dict[str, Any]) -> str:
        stops = options.get("until") or []
        sampled = bool(options.get("do_sample", options.get("temperature", 0.0)))
        request = CompletionRequest(
            context,
            decoding=Decoding(
                policy=self._policy,
                canvas_size=self._canvas,
                max_tokens=int(options.get("max_gen_toks", self._max_tokens)),
                temperature=float(options.get("temperature", 1.0)) if sampled else 0.0,
                top_p=float(options.get("top_p", 1.0)),
                seed=self._seed,
            ),
        )
        return cut_at(self._engine.complete(request).text, [stops] if isinstance(stops, str) else stops)

    def _likelihood(self, context: str, continuation: str) -> tuple[float, bool]:
        if not self._diffusion:
            score = self._engine.score(context, "", continuation)
            return score.log_probability, score.greedy
        bound = self._engine.diffusion_score(context, "", continuation, self._canvas, self._samples, self._seed)
        request = CompletionRequest(
            context,
            length=self._engine.count_tokens(continuation),
            decoding=Decoding(policy=DIFFUSION_POLICY, canvas_size=self._canvas),
        )
        return bound.log_probability, self._engine.complete(request).text == continuation

    def _rolling(self, text: str) -> float:
        total, done = 0.0, 0
        for piece in self._pieces(text):
            prefix = text[:done]
            if self._diffusion:
                score = self._engine.diffusion_score(prefix, "", piece, self._canvas, self._samples, self._seed)
            else:
                score = self._engine.score(prefix, "", piece)
            total += score.log_probability
            done += len(piece)
        return total

    def _pieces(self, text: str) -> Iterator[str]:
        """The text in runs of whole lines that fit the model; a line that does not is cut."""
        most = min(MOST_PIECE_TOKENS, self._engine.config.max_positions // 4)
        piece = ""
        for line in text.splitlines(keepends=True):
            for start in range(0, len(line), most):
                part = line[start : start + most]
                if piece and self._engine.count_tokens(piece + part) > most:
                    yield piece
                    piece = ""
                piece += part
        if piece:
            yield piece


def main() -> None:
    """The harness's command line, which now knows the model `quickfill`."""
    from lm_eval.__main__ import cli_evaluate  # pyright: ignore[reportMissingImports]

    cli_evaluate()


if __name__ == "__main__":
    main()
