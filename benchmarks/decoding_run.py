"""One prompt decoded once, measured from outside."""

from __future__ import annotations

import time
from dataclasses import dataclass

from coder.diffusion.events import Committed, Finished, Prefilled
from coder.diffusion.run import DenoiseRequest
from coder.diffusion.sampler import Sampler


@dataclass(frozen=True)
class DecodingRun:
    """What one prompt took.

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
    """How many drafted tokens each verification of a verified run agreed with.

    A verification settles those and one token of its own, which at the end is the end token and not counted.
    """
    last = len(run.commits) - 1
    return [count if run.ended and index == last else count - 1 for index, count in enumerate(run.commits)]
