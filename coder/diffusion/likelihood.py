"""How likely the denoiser finds a given continuation: a lower bound, by Monte Carlo.

The likelihood of a diffusion model has no closed form. What training minimises bounds it from below: over the number of
masked slots and their choice,

    log p(x | context)  >=  E over l ~ U{1 ... L}, M of size l  [ L/l · sum over i in M of log p(x_i | x outside M) ]

(LLaDA, arXiv:2502.09992, equations 6 and 14; MDLM, arXiv:2406.07524). Here it is summed over the canvases of a block
diffusion, each given the blocks before it (Block Diffusion, arXiv:2503.09573, equation 4).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from coder.model.runtime import Cache, Pass, Runtime, common_prefix_length


def diffusion_bound(
    runtime: Runtime,
    cache: Cache,
    context: Sequence[int],
    continuation: Sequence[int],
    canvas_size: int,
    samples: int,
    seed: int,
    control_tokens: tuple[int, ...] = (),
    chunk: int = 128,
) -> npt.NDArray[np.float64]:
    """Estimates whose mean is a lower bound of the log-probability of `continuation` after `context`.

    Slots of the last canvas behind the continuation stay masked: what follows is left open. What the cache shares with
    the context is reused; afterwards it holds the context but its last token.

    Args:
        context: at least one token, the first anchor.
        samples: drawn for each canvas. seed: makes them repeatable.
        chunk: most context tokens a pass computes.

    Returns:
        float64 [samples], nats, all 0 for an empty continuation.
    """
    generator = np.random.default_rng(seed)
    sequence = [*context, *continuation]
    anchor = len(context) - 1
    cache.truncate(common_prefix_length(cache.tokens, context[:-1]))
    _commit(runtime, cache, context[:-1], chunk)
    estimates = np.zeros(samples)
    for start in range(len(context), len(sequence), canvas_size):
        _commit(runtime, cache, sequence[: start - 1], chunk)
        block = np.asarray(sequence[start : start + canvas_size], np.int64)
        for sample in range(samples):
            count = int(generator.integers(1, len(block) + 1))
            masked = np.sort(generator.choice(len(block), count, replace=False))
            canvas = np.full(canvas_size, runtime.config.control.mask, np.int64)
            canvas[: len(block)] = block
            canvas[masked] = runtime.config.control.mask
            request = Pass(
                # The output at a position predicts the next token: the anchor, at index 0, predicts slot 0.
                [sequence[start - 1], *canvas.tolist()],
                wanted=masked.tolist(),
                causal=False,
                given=block[masked].tolist(),
                control_tokens=control_tokens,
            )
            found = runtime.forward(cache, request).log_probability
            estimates[sample] += len(block) / count * float(found.sum())
    cache.truncate(anchor)
    return estimates


def _commit(runtime: Runtime, cache: Cache, tokens: Sequence[int], chunk: int) -> None:
    """Bring `tokens` into the cache, which holds a beginning of them."""
    while (known := len(cache.tokens)) < len(tokens):
        part = tokens[known : known + chunk]
        runtime.forward(cache, Pass(part, commit=len(part)))
