"""How likely a published diffusion model finds a given text, though it never writes one token after another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from coder.diffusion.canvas import IntArray
from coder.diffusion.run import DenoiseRequest, Run
from coder.diffusion.whole_canvas import parse_published
from coder.model.runtime import Cache, Predictions, Runtime


def left_to_right(
    runtime: Runtime,
    cache: Cache,
    context: Sequence[int],
    continuation: Sequence[int],
    control_tokens: tuple[int, ...],
    suffix: Sequence[int],
) -> Predictions:
    """What the denoiser predicts for each token of `continuation`, those before it known and those behind it masked.

    Any order of unmasking is a factorisation of the likelihood (LLaDA, arXiv:2502.09992, appendix A); this is the one
    of reading. It takes a pass a token.
    """
    parts = []
    for known, token in enumerate(continuation):
        run = _run(runtime, cache, [*context, *continuation[:known]], len(continuation) - known, control_tokens, suffix)
        size = _slots(run, len(continuation) - known)
        if size == 0:
            parts.append(run.predict_next(given=[token]))
        else:
            parts.append(run.predict_canvas(run.open_canvas(size), np.zeros(1, np.int64), given=[token]))
    return Predictions(
        np.concatenate([part.tokens for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.entropy for part in parts]),
        np.concatenate([part.log_probability for part in parts]),
    )


def bound(
    runtime: Runtime,
    cache: Cache,
    context: Sequence[int],
    continuation: Sequence[int],
    samples: int,
    seed: int,
    control_tokens: tuple[int, ...],
    suffix: Sequence[int],
) -> npt.NDArray[np.float64]:
    """The estimates of `likelihood.diffusion_bound`, on the canvases that the model is decoded with."""
    generator = np.random.default_rng(seed)
    estimates = np.zeros(samples)
    start = 0
    while start < len(continuation):
        left = continuation[start:]
        run = _run(runtime, cache, [*context, *continuation[:start]], len(left), control_tokens, suffix)
        size = _slots(run, len(left))
        if size == 0:
            estimates += float(run.predict_next(given=left[:1]).log_probability[0])
            start += 1
            continue
        block = np.asarray(left[:size], np.int64)
        for sample in range(samples):
            masked = _draw(generator, len(block))
            canvas = run.open_canvas(size)
            shown = np.setdiff1d(np.arange(len(block)), masked)
            canvas.fix(shown, block[shown], np.ones(len(shown)))
            found = run.predict_canvas(canvas, masked, given=block[masked].tolist()).log_probability
            estimates[sample] += len(block) / len(masked) * float(found.sum())
        start += len(block)
    return estimates


def _run(
    runtime: Runtime,
    cache: Cache,
    context: Sequence[int],
    tokens: int,
    control_tokens: tuple[int, ...],
    suffix: Sequence[int],
) -> Run:
    config = runtime.config
    request = DenoiseRequest(
        context=context,
        cache=cache,
        algorithm=parse_published("auto", config, None),
        end_token=config.control.fim_end,
        max_tokens=tokens,
        control_tokens=control_tokens,
        suffix=suffix,
        guidance=config.denoiser.guidance if config.denoiser else 0.0,
    )
    run = Run(runtime, request)
    run.prefill()
    return run


def _slots(run: Run, tokens: int) -> int:
    """Slots of the canvas behind a run's context; none where the first token of a block comes without one."""
    attention = run.config.attention
    if attention.block_size is None:
        return tokens
    position = len(run.sequence) % attention.block_size
    return 0 if not position and run.config.shift else attention.block_size - position


def _draw(generator: np.random.Generator, size: int) -> IntArray:
    count = int(generator.integers(1, size + 1))
    return np.sort(generator.choice(size, count, replace=False))
