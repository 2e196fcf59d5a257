from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.diffusion.block_diffusion import Autoregressive
from coder.diffusion.events import Committed
from coder.diffusion.likelihood import autoregressive_predictions, left_to_right_predictions
from coder.errors import InputError
from coder.generation.strategy import AdaptedStrategy
from coder.model.runtime import Pass
from tests.diffusion.runs import contexts, run
from tests.diffusion.toy import END, MASK, ORDINARY, ToyCache, ToyRuntime, log_probability_of

continuations = st.lists(st.sampled_from(ORDINARY), max_size=9)
ending_continuations = st.lists(st.sampled_from([*ORDINARY, END]), max_size=20)
chunks = st.integers(1, 40)
CONTEXT = [20, 21, 22]


def bound(context: list[int], continuation: list[int], size: int, samples: int = 4, seed: int = 0):
    cache = ToyCache()
    return AdaptedStrategy(ToyRuntime()).diffusion_bound(cache, context, continuation, samples, seed, size), cache


def score(runtime: ToyRuntime, cache: ToyCache, context: list[int], continuation: list[int], chunk: int = 128):
    return autoregressive_predictions(runtime, cache, context, continuation, (END,), chunk).log_probability


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


@given(contexts, continuations)
def test_on_canvases_of_one_slot_the_bound_is_what_reading_gives(context: list[int], continuation: list[int]):
    strategy = AdaptedStrategy(ToyRuntime())
    reading = strategy.scoring_run(ToyCache(), context, len(continuation), (), ())
    along = left_to_right_predictions(reading, continuation, lambda run: strategy.next_canvas(run, 1))
    assert len(along.tokens) == len(continuation)
    estimates, _ = bound(context, continuation, size=1)
    assert estimates.tolist() == pytest.approx([float(along.log_probability.sum())] * 4, abs=1e-4)


def test_a_text_longer_than_the_model_is_refused():
    strategy = AdaptedStrategy(ToyRuntime(max_positions=8))
    with pytest.raises(InputError, match="8 positions"):
        strategy.diffusion_bound(ToyCache(), CONTEXT, [13] * 9, 2, 0, 4)


@given(contexts, contexts, ending_continuations, chunks)
def test_a_score_is_each_token_s_log_probability_after_those_before_it(
    earlier: list[int], context: list[int], continuation: list[int], chunk: int
):
    cache = run(earlier, Autoregressive(), max_tokens=5).cache
    scores = score(ToyRuntime(), cache, context, continuation, chunk)
    expected = [
        log_probability_of([*context, *continuation[:index]], token, (END,)) for index, token in enumerate(continuation)
    ]
    assert scores.tolist() == pytest.approx(expected, abs=1e-4)
    assert cache.tokens == context[:-1]


@given(contexts, ending_continuations, chunks)
def test_the_context_is_computed_once(context: list[int], continuation: list[int], chunk: int):
    runtime, cache = ToyRuntime(), ToyCache()
    first = score(runtime, cache, context, continuation, chunk)
    passes = len(runtime.passes)
    second = score(runtime, cache, context, continuation, chunk)
    assert first.tolist() == second.tolist()
    assert sum(len(request.tokens) for request in runtime.passes[passes:]) == len(continuation)


@given(contexts)
def test_what_greedy_decoding_produces_scores_its_confidence(context: list[int]):
    outcome = run(context, Autoregressive(), max_tokens=10)
    committed = [event.confidences[0] for event in outcome.events if isinstance(event, Committed)]
    scores = score(ToyRuntime(), ToyCache(), context, outcome.output)
    assert scores.tolist() == pytest.approx(np.log(committed).tolist(), abs=1e-4)
