"""Decoding methods on the same prompts, taking turns, and what each needed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median

from coder.diffusion.events import Committed, Finished, Prefilled
from coder.diffusion.run import DecodingAlgorithm, DenoiseRequest, Sampler
from coder.model.runtime import Cache, Runtime


@dataclass(frozen=True)
class DecodingRun:
    """The tokens that one prompt was answered with, and what that took.

    Attributes:
        output: the tokens produced, without the end token.
        passes: forward passes after the prefill; seconds: what they and all between them took.
        prefill_tokens, prefill_seconds: the context but its last token, where it was not in the cache.
        commits: how many tokens became settled at a time.
        ended: whether the model said that it was done.
    """

    output: tuple[int, ...]
    passes: int
    seconds: float
    prefill_tokens: int
    prefill_seconds: float
    commits: tuple[int, ...] = ()
    ended: bool = False


def decode(sampler: Sampler, request: DenoiseRequest) -> DecodingRun:
    """Consume a denoising run and time what comes after its prefill."""
    output: list[int] = []
    commits: list[int] = []
    start = time.perf_counter()
    for event in sampler.denoise(request):
        match event:
            case Prefilled():
                start = time.perf_counter()
            case Committed(tokens):
                output.extend(tokens)
                commits.append(len(tokens))
            case Finished(reason, statistics):
                return DecodingRun(
                    output=tuple(output),
                    passes=statistics.decode_passes,
                    seconds=time.perf_counter() - start,
                    prefill_tokens=statistics.prefill_tokens,
                    prefill_seconds=statistics.prefill_seconds,
                    commits=tuple(commits),
                    ended=reason == "end",
                )
    raise AssertionError("a run ends with its Finished event")


def accepted_drafts(run: DecodingRun) -> list[int]:
    """The number of drafted tokens that each verification of a verified run agreed with.

    A verification settles those and one token of its own, which at the end is the end token and not counted.
    """
    last = len(run.commits) - 1
    return [count if run.ended and index == last else count - 1 for index, count in enumerate(run.commits)]


@dataclass(frozen=True)
class Method:
    """A way to decode; `canvas` is None where there is no canvas."""

    name: str
    canvas: int | None = None


AUTOREGRESSIVE = Method("autoregressive")
LLAMA_CPP = Method("llama.cpp Q8_0")
LLAMA_CPP_BASE = Method("llama.cpp, the base as published")
"""Without the adapter: it writes other text, at the speed of the published blocks."""
LLAMA_CPPS = (LLAMA_CPP, LLAMA_CPP_BASE)

Decoder = Callable[[Sequence[int], Cache], DecodingRun]
"""Decodes a prompt, with a cache that may hold a part of it."""

Round = Mapping[Method, list[DecodingRun]]
"""One run a prompt for each method, made close together in time."""


def sampler_decoder(runtime: Runtime, algorithm: DecodingAlgorithm, max_tokens: int) -> Decoder:
    """Decode with the project's own sampler."""
    sampler, end_token = Sampler(runtime), runtime.config.control.fim_end
    return lambda prompt, cache: decode(sampler, DenoiseRequest(prompt, cache, algorithm, end_token, max_tokens))


def take_turns(
    decoders: Mapping[Method, Decoder], prompts: Sequence[Sequence[int]], new_cache: Callable[[], Cache], rounds: int
) -> list[Round]:
    """Run every method on every prompt in each round, after one prompt to warm up.

    The methods share a prompt's cache, so the first one computes the context for all; which is first changes with the
    round.
    """
    _one_round(decoders, prompts[:1], new_cache)
    methods = list(decoders)
    turned = [methods[shift:] + methods[:shift] for shift in range(rounds)]
    return [_one_round({method: decoders[method] for method in order}, prompts, new_cache) for order in turned]


def _one_round(
    decoders: Mapping[Method, Decoder], prompts: Sequence[Sequence[int]], new_cache: Callable[[], Cache]
) -> Round:
    runs: dict[Method, list[DecodingRun]] = {method: [] for method in decoders}
    for prompt in prompts:
        cache = new_cache()
        for method, decoder in decoders.items():
            runs[method].append(decoder(prompt, cache))
    return runs


def decoding_row(context: int, method: Method, rounds: Sequence[Round]) -> dict[str, object]:
    """A method's figures at one context length. Speeds are medians over the rounds.

    `ratio` is the speed divided by that of plain autoregressive decoding in the same round, `same_output` the share of
    prompts with the same output as that. `tokens_per_pass_to_match` is how many tokens a pass would have to yield on
    this machine to be as fast as the faster of plain autoregressive decoding and llama.cpp.
    """
    produced = rounds[0][method]  # what is produced is the same in every round
    tokens, passes = sum(len(run.output) for run in produced), sum(run.passes for run in produced)
    ms_per_pass = median(1000.0 * sum(run.seconds for run in runs[method]) / passes for runs in rounds)
    baselines = [tokens_per_second(rounds, one) for one in (AUTOREGRESSIVE, *LLAMA_CPPS) if one in rounds[0]]
    return {
        "context": context,
        "method": method.name,
        "canvas": method.canvas,
        "tokens": tokens,
        "passes": passes,
        "tokens_per_pass": tokens / passes,
        "ms_per_pass": ms_per_pass,
        "tokens_per_second": tokens_per_second(rounds, method),
        "ratio": median(_speed(runs[method]) / _speed(runs[AUTOREGRESSIVE]) for runs in rounds),
        "tokens_per_pass_to_match": ms_per_pass * max(baselines) / 1000.0,
        "same_output": mean(
            run.output == other.output for run, other in zip(produced, rounds[0][AUTOREGRESSIVE], strict=True)
        ),
    }


def tokens_per_second(rounds: Sequence[Round], method: Method) -> float:
    """Median over the rounds."""
    return median(_speed(runs[method]) for runs in rounds)


def prefill_tokens_per_second(rounds: Sequence[Round]) -> dict[str, float | None]:
    """The speed of the prefill, of whichever method came first, and of llama.cpp where it was measured."""
    own = [method for method in rounds[0] if method not in LLAMA_CPPS]
    others = {method.name: _prefill_speed(rounds, [method]) for method in LLAMA_CPPS if method in rounds[0]}
    return {"tokens_per_second": _prefill_speed(rounds, own), **others}


def acceptance_row(context: int, method: Method, rounds: Sequence[Round]) -> dict[str, object]:
    """A row on the number of a draft's tokens that the verification agrees with, for a method that verifies."""
    accepted = [count for run in rounds[0][method] for count in accepted_drafts(run)]
    counts = Counter(accepted)
    return {
        "context": context,
        "canvas": method.canvas,
        "verifications": len(accepted),
        "mean_accepted": mean(accepted) if accepted else 0.0,
        "accepted_none": counts[0],
        "accepted_by_count": dict(sorted(counts.items())),
    }


def _speed(runs: Sequence[DecodingRun]) -> float:
    """Tokens a second over all prompts."""
    return sum(len(run.output) for run in runs) / sum(run.seconds for run in runs)


def _prefill_speed(rounds: Sequence[Round], methods: Sequence[Method]) -> float:
    prefills = [run for runs in rounds for method in methods for run in runs[method] if run.prefill_tokens]
    return sum(run.prefill_tokens for run in prefills) / sum(run.prefill_seconds for run in prefills)
