from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.diffusion.likelihood import diffusion_bound
from coder.model.runtime import Pass
from tests.diffusion.runs import contexts
from tests.diffusion.toy import END, MASK, ORDINARY, ToyCache, ToyRuntime

continuations = st.lists(st.sampled_from(ORDINARY), max_size=9)
CONTEXT = [20, 21, 22]


def bound(context: list[int], continuation: list[int], size: int, samples: int = 4, seed: int = 0):
    cache = ToyCache()
    return diffusion_bound(ToyRuntime(), cache, context, continuation, size, samples, seed, (END,)), cache


def exact_bound(context: list[int], block: list[int], size: int) -> float:
    """The expectation over all choices of masked slots, for one canvas."""
    runtime, cache = ToyRuntime(), ToyCache()
    if len(context) > 1:
        runtime.forward(cache, Pass(context[:-1], commit=len(context) - 1))
    totals = []
    for count in range(1, len(block) + 1):
        terms = []
        for masked in combinations(range(len(block)), count):
            canvas = [MASK if slot in masked or slot >= len(block) else block[slot] for slot in range(size)]
            given = [block[slot] for slot in masked]
            tokens = [context[-1], *canvas]
            request = Pass(tokens, wanted=list(masked), causal=False, given=given, control_tokens=(END,))
            terms.append(len(block) / count * float(runtime.forward(cache, request).log_probability.sum()))
        totals.append(np.mean(terms))
    return float(np.mean(totals))


def test_estimates_agree_with_the_expectation_over_all_masks():
    block = [13, 14, 15]
    estimates, _ = bound(CONTEXT, block, size=4, samples=3000)
    error = estimates.std() / len(estimates) ** 0.5
    assert estimates.mean() == pytest.approx(exact_bound(CONTEXT, block, 4), abs=4 * error)


def test_canvases_follow_each_other_each_given_those_before_it():
    block = [13, 14, 15, 16, 17]
    estimates, _ = bound(CONTEXT, block, size=2, samples=3000)
    parts = [exact_bound([*CONTEXT, *block[:start]], block[start : start + 2], 2) for start in (0, 2, 4)]
    assert estimates.mean() == pytest.approx(sum(parts), abs=4 * estimates.std() / len(estimates) ** 0.5)


@given(contexts, continuations, st.integers(1, 5), st.integers(0, 3))
def test_estimates_repeat_and_leave_the_context_in_the_cache(
    context: list[int], continuation: list[int], size: int, seed: int
):
    first, cache = bound(context, continuation, size, seed=seed)
    again, _ = bound(context, continuation, size, seed=seed)
    assert first.tolist() == again.tolist()
    assert first.shape == (4,)
    assert all(first <= 0.0)
    assert cache.tokens == context[:-1]


def test_one_slot_needs_one_sample():
    estimates, _ = bound(CONTEXT, [13], size=1, samples=5)
    assert estimates.tolist() == pytest.approx([exact_bound(CONTEXT, [13], 1)] * 5)
