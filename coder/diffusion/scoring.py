"""How likely the model finds a given continuation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from coder.model.runtime import Cache, Pass, Runtime, common_prefix_length


def score(
    runtime: Runtime,
    cache: Cache,
    context: Sequence[int],
    continuation: Sequence[int],
    control_tokens: tuple[int, ...] = (),
    chunk: int = 128,
) -> npt.NDArray[np.float32]:
    """Autoregressive log-probability of each token of `continuation` after `context` and those before it.

    What the cache shares with the context is reused; afterwards it holds the context but its last token.

    Args:
        context: at least one token.
        control_tokens: control tokens that are possible at all; every other has probability 0, as in decoding.
        chunk: most tokens a pass computes.

    Returns:
        float32 [len(continuation)], nats.
    """
    sequence = [*context, *continuation]
    anchor, last = len(context) - 1, len(sequence) - 1
    known = common_prefix_length(cache.tokens, context[:-1])
    cache.truncate(known)
    scores = [np.zeros(0, np.float32)]
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
        scores.append(runtime.forward(cache, request).log_probability)
    cache.truncate(anchor)
    return np.concatenate(scores)
