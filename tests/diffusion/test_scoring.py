from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.diffusion.block_diffusion import Autoregressive
from coder.diffusion.events import Committed
from coder.diffusion.scoring import score
from tests.diffusion.runs import contexts, run
from tests.diffusion.toy import END, ORDINARY, ToyCache, ToyRuntime, log_probability_of

continuations = st.lists(st.sampled_from([*ORDINARY, END]), max_size=20)
chunks = st.integers(1, 40)


@given(contexts, contexts, continuations, chunks)
def test_a_score_is_each_token_s_log_probability_after_those_before_it(
    earlier: list[int], context: list[int], continuation: list[int], chunk: int
):
    cache = run(earlier, Autoregressive(), max_tokens=5).cache
    scores = score(ToyRuntime(), cache, context, continuation, control_tokens=(END,), chunk=chunk)
    expected = [
        log_probability_of([*context, *continuation[:index]], token, (END,)) for index, token in enumerate(continuation)
    ]
    assert scores.tolist() == pytest.approx(expected, abs=1e-4)
    assert cache.tokens == context[:-1]


@given(contexts, continuations, chunks)
def test_the_context_is_computed_once(context: list[int], continuation: list[int], chunk: int):
    runtime, cache = ToyRuntime(), ToyCache()
    first = score(runtime, cache, context, continuation, (END,), chunk)
    passes = len(runtime.passes)
    second = score(runtime, cache, context, continuation, (END,), chunk)
    assert first.tolist() == second.tolist()
    assert sum(len(request.tokens) for request in runtime.passes[passes:]) == len(continuation)


@given(contexts)
def test_what_greedy_decoding_produces_scores_its_confidence(context: list[int]):
    outcome = run(context, Autoregressive(), max_tokens=10)
    committed = [event.confidences[0] for event in outcome.events if isinstance(event, Committed)]
    scores = score(ToyRuntime(), ToyCache(), context, outcome.output, (END,))
    assert scores.tolist() == pytest.approx(np.log(committed).tolist(), abs=1e-4)
