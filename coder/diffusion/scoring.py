"""How likely the model finds a given continuation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from coder.model.runtime import CANDIDATES, Cache, Pass, Predictions, Runtime, common_prefix_length


def score(
    runtime: Runtime,
    cache: Cache,
    context: Sequence[int],
    continuation: Sequence[int],
    control_tokens: tuple[int, ...] = (),
    chunk: int = 128,
    suffix: Sequence[int] = (),
) -> npt.NDArray[np.float32]:
    """Autoregressive log-probability of each token of `continuation` after `context` and those before it.

    What the cache shares with the context is reused; afterwards it holds the context but its last token.

    Args:
        context: at least one token.
        control_tokens: control tokens that are possible at all; every other has probability 0, as in decoding.
        chunk: most tokens a pass computes.
        suffix: what stands behind the continuation, for a model that sees it.

    Returns:
        float32 [len(continuation)], nats.
    """
    return predictions_along(runtime, cache, context, continuation, control_tokens, chunk, suffix).log_probability


def predictions_along(
    runtime: Runtime,
    cache: Cache,
    context: Sequence[int],
    continuation: Sequence[int],
    control_tokens: tuple[int, ...] = (),
    chunk: int = 128,
    suffix: Sequence[int] = (),
) -> Predictions:
    """What the autoregressive pass predicts for each token of `continuation`, with the log-probability of the one that
    is there; otherwise like `score`. Of a published diffusion model, which has no such pass, what it predicts when it
    unmasks the continuation from left to right."""
    if runtime.config.denoiser is not None and len(continuation):
        from coder.diffusion.denoiser_scoring import left_to_right  # which decodes, and decoding scores

        return left_to_right(runtime, cache, context, continuation, control_tokens, suffix)
    sequence = [*context, *continuation]
    anchor, last = len(context) - 1, len(sequence) - 1
    known = common_prefix_length(cache.tokens, context[:-1])
    cache.truncate(known)
    parts = [_no_predictions()]
    for start in range(known, last, chunk):
        end = min(start + chunk, last)
        first = min(max(anchor, start), end)
        request = Pass(
            sequence[start:end],
            wanted=range(first - start, end - start),
            commit=end - start,
            given=sequence[first + 1 : end + 1],
            control_tokens=control_tokens,
        )
        parts.append(runtime.forward(cache, request))
    cache.truncate(anchor)
    return Predictions(
        np.concatenate([part.tokens for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.entropy for part in parts]),
        np.concatenate([part.log_probability for part in parts]),
    )


def _no_predictions() -> Predictions:
    nothing = np.zeros(0, np.float32)
    rows = (0, CANDIDATES)
    return Predictions(np.zeros(rows, np.int64), np.zeros(rows, np.float32), nothing, nothing)
