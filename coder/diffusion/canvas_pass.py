"""Which tokens a canvas pass holds, and where in it each slot is predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coder.model.checkpoint.config import ModelConfig
from coder.model.runtime import Pass, TokenBias

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Window:
    """Slots of a canvas from `start` to `end`, which is not among them; None is the end of what the model sees."""

    start: int
    end: int | None = None


def canvas_pass(
    config: ModelConfig,
    before: Sequence[int],
    canvas: IntArray,
    after: Sequence[int],
    slots: IntArray,
    control_tokens: tuple[int, ...],
    bias: TokenBias,
    window: Window | None = None,
) -> Pass:
    """What belongs in `slots` of a canvas.

    Args:
        before: the tokens on its left that are not in the cache. after: those on its right.
        window: what the pass is restricted to; an approximation, see `Pass.start`. It takes a cache that is empty.
    """
    tokens = [*before, *canvas.tolist(), *after]
    # Where the output at a position predicts the next token, the one before a slot is asked about it.
    first = len(before) - config.shift
    wanted = np.maximum(slots + first, 0).tolist()
    guidance = config.denoiser.guidance if config.denoiser else 0.0
    if guidance:
        hidden = [*[config.control.mask] * len(before), *canvas.tolist(), *[config.control.mask] * len(after)]
        return Pass(
            tokens,
            wanted,
            causal=False,
            control_tokens=control_tokens,
            bias=bias,
            unconditional=hidden,
            guidance=guidance,
        )
    if window is None:
        return Pass(tokens, wanted, causal=False, control_tokens=control_tokens, bias=bias)
    start = max(0, first + window.start)
    end = len(tokens) if window.end is None else len(before) + window.end
    return Pass(
        tokens[start:end],
        [index - start for index in wanted],
        causal=False,
        control_tokens=control_tokens,
        bias=bias,
        start=start,
        visible=len(tokens),
    )
