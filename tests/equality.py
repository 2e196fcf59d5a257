"""Equality of two decoded sequences as the project promises it: token for token, up to a tie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coder.model.runtime import Pass, Runtime

TIE = 1e-3
"""Two best logits closer than this are a tie: another shape of the same computation may round them the other way."""


def equal_up_to_a_tie(
    runtime: Runtime, context: Sequence[int], first: Sequence[int], second: Sequence[int], end_token: int
) -> bool:
    """Assert that two greedy continuations agree up to a tie; return whether that excuse was needed."""
    if list(first) == list(second):
        return False
    length = min(len(first), len(second))
    differing = np.flatnonzero(np.asarray(first[:length]) != np.asarray(second[:length]))
    position = int(differing[0]) if len(differing) else length
    tokens = [*context, *first[:position]]
    request = Pass(tokens, wanted=[len(tokens) - 1], control_tokens=(end_token,))
    best, next_best = np.log(runtime.forward(runtime.new_cache(), request).probabilities[0, :2])
    assert best - next_best < TIE, f"token {position} differs although its logits are {best - next_best:.4f} apart"
    return True
