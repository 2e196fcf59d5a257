"""Log-probabilities of a given text: token by token, or a bound by diffusion.

The likelihood of a diffusion model has no closed form. What training minimises bounds it from below: over the number of
masked slots and their choice,

    log p(x | context)  >=  E over l ~ U{1 ... L}, M of size l  [ L/l · sum over i in M of log p(x_i | x outside M) ]

(LLaDA, arXiv:2502.09992, equations 6 and 14; MDLM, arXiv:2406.07524). Here it is summed over the canvases that the
model is decoded with, each given those before it (Block Diffusion, arXiv:2503.09573, equation 4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from coder.diffusion.canvas import Canvas
from coder.diffusion.events import UNLIMITED, TimeLimits
from coder.diffusion.run import Run
from coder.errors import InputError
from coder.model.runtime import CANDIDATES, Cache, Pass, Predictions, Runtime, common_prefix_length

NextCanvas = Callable[[Run], Canvas | None]
"""Return the canvas behind a run's sequence; None where the next token comes from a context pass."""


def autoregressive_predictions(
    runtime: Runtime,
    cache: Cache,
    context: Sequence[int],
    continuation: Sequence[int],
    control_tokens: tuple[int, ...] = (),
    chunk: int = 128,
    limits: TimeLimits = UNLIMITED,
) -> Predictions:
    """Predict each token of `continuation` after `context` and the tokens before it, by causal passes.

    What the cache shares with the context is reused; afterwards it holds the context but its last token.

    Args:
        context: at least one token.
        control_tokens: control tokens that are possible at all; every other has probability 0, as in decoding.
        chunk: most tokens a pass computes, thus between two looks at the limits.

    Returns:
        A row for each token of `continuation`, with the log-probability of that token, nats.

    Raises:
        Stopped: a limit is reached.
    """
    sequence = [*context, *continuation]
    anchor, last = len(context) - 1, len(sequence) - 1
    known = common_prefix_length(cache.tokens, context[:-1])
    cache.truncate(known)
    parts = []
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
        limits.check()
        parts.append(runtime.forward(cache, request))
    cache.truncate(anchor)
    return _joined(parts)


def left_to_right_predictions(run: Run, continuation: Sequence[int], next_canvas: NextCanvas) -> Predictions:
    """Predict each token of `continuation` by the denoiser: those before it are known, those behind it masked.

    Any order of unmasking is a factorisation of the likelihood (LLaDA, arXiv:2502.09992, appendix A); this is the one
    of reading. It takes a pass a token.
    """
    run.prefill()
    parts = []
    for token in continuation:
        if (canvas := next_canvas(run)) is None:
            parts.append(run.predict_next(given=[token]))
        else:
            parts.append(run.predict_canvas(canvas, np.zeros(1, np.int64), given=[token]))
        run.accept([token], [1.0])
    return _joined(parts)


def diffusion_bound(
    run: Run, continuation: Sequence[int], next_canvas: NextCanvas, samples: int, seed: int
) -> npt.NDArray[np.float64]:
    """Return estimates whose mean is a lower bound of the log-probability of `continuation` after the run's context.

    Slots of the last canvas behind the continuation stay masked: what follows is left open. Afterwards the cache holds
    nothing behind the context but its last token.

    Args:
        samples: drawn for each canvas. seed: makes them repeatable.

    Returns:
        float64 [samples], nats, all 0 for an empty continuation.

    Raises:
        InputError: the model has not positions enough.
    """
    generator = np.random.default_rng(seed)
    run.prefill()
    estimates = np.zeros(samples)
    while left := continuation[run.produced :]:
        if (canvas := next_canvas(run)) is None:
            block = left[:1]
            estimates += float(run.predict_next(given=block).log_probability[0])
        elif block := left[: len(canvas.tokens)]:
            for sample in range(samples):
                estimates[sample] += _estimate(run, canvas.copy(), np.asarray(block, np.int64), generator)
        else:
            raise InputError(f"the text is longer than the {run.config.max_positions} positions of the model")
        run.accept(block, [1.0] * len(block))
    cache = run.request.cache
    cache.truncate(min(len(cache.tokens), len(run.request.context) - 1))
    return estimates


def _estimate(run: Run, canvas: Canvas, block: npt.NDArray[np.int64], generator: np.random.Generator) -> float:
    """One sample of the bound for one canvas, which is overwritten."""
    count = int(generator.integers(1, len(block) + 1))
    masked = np.sort(generator.choice(len(block), count, replace=False))
    shown = np.setdiff1d(np.arange(len(block)), masked)
    canvas.fix(shown, block[shown], np.ones(len(shown)))
    found = run.predict_canvas(canvas, masked, given=block[masked].tolist()).log_probability
    return len(block) / count * float(found.sum())


def _joined(parts: Sequence[Predictions]) -> Predictions:
    nothing = np.zeros(0, np.float32)
    none = Predictions(np.zeros((0, CANDIDATES), np.int64), np.zeros((0, CANDIDATES), np.float32), nothing, nothing)
    everything = [none, *parts]
    return Predictions(
        np.concatenate([part.tokens for part in everything]),
        np.concatenate([part.probabilities for part in everything]),
        np.concatenate([part.entropy for part in everything]),
        np.concatenate([part.log_probability for part in everything]),
    )
