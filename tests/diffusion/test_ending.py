"""The end of an output: never at its start where the model cannot tell it, elsewhere by a bias on the end token."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.diffusion.block_diffusion import Autoregressive, BlockDiffusion, Joint, Lookup, Verified
from coder.diffusion.run import DecodingAlgorithm
from tests.diffusion.runs import algorithms, canvas_sizes, contexts, exact_algorithms, run, token_limits
from tests.diffusion.toy import END, ToyRuntime, greedy_continuation

biases = st.floats(-3.0, 3.0)


@given(contexts, algorithms, token_limits)
def test_an_output_is_never_empty_where_it_may_not_be(context: list[int], algorithm: DecodingAlgorithm, limit: int):
    outcome = run(context, algorithm, max_tokens=limit, never_empty=True)
    assert outcome.output and outcome.output[0] != END


@given(contexts, token_limits)
def test_only_the_first_token_is_another_then(context: list[int], limit: int):
    greedy = greedy_continuation(context, limit)
    outcome = run(context, Autoregressive(), max_tokens=limit, never_empty=True)
    if greedy:
        assert outcome.output == greedy
    else:
        assert outcome.output[1:] == greedy_continuation([*context, outcome.output[0]], limit - 1)


@given(contexts, exact_algorithms, token_limits, st.booleans(), biases)
def test_verified_decoding_stays_the_autoregressive_one(
    context: list[int], algorithm: Verified | Lookup, limit: int, never_empty: bool, bias: float
):
    settings = {"max_tokens": limit, "never_empty": never_empty, "end_bias": bias}
    verified, autoregressive = (run(context, method, **settings) for method in (algorithm, Autoregressive()))
    assert verified.output == autoregressive.output
    assert verified.finished.reason == autoregressive.finished.reason


@given(contexts, st.sampled_from([Autoregressive(), Lookup()]), biases, st.booleans())
def test_the_share_of_the_end_at_the_start_is_known_without_rule_and_bias(
    context: list[int], algorithm: DecodingAlgorithm, bias: float, never_empty: bool
):
    plain = run(context, algorithm).finished.statistics.emptiness
    other = run(context, algorithm, never_empty=never_empty, end_bias=bias).finished.statistics.emptiness
    assert 0.0 <= plain <= 1.0
    # The end is unknown where it is not among the few best tokens, and a bias may take it there or away.
    if plain and other:
        assert other == pytest.approx(plain, rel=1e-3)


@given(contexts, st.sampled_from([Autoregressive(), BlockDiffusion(policy=Verified().policy, canvas_size=8)]))
def test_a_bias_decides_how_readily_an_output_ends(context: list[int], algorithm: DecodingAlgorithm):
    assert run(context, algorithm, end_bias=-50.0).finished.reason == "length"
    assert run(context, algorithm, end_bias=50.0).output == []
    assert len(run(context, algorithm, end_bias=50.0, never_empty=True).output) == 1


class TestLocalAutoregression:
    @given(contexts, canvas_sizes, token_limits)
    def test_a_draft_is_a_pass_and_the_output_the_greedy_one(self, context: list[int], size: int, limit: int):
        outcome = run(context, Verified(size), max_tokens=limit, runtime=ToyRuntime(local_width=4))
        assert outcome.output == greedy_continuation(context, limit)
        statistics = outcome.finished.statistics
        assert statistics.canvas_passes <= statistics.commit_passes
        for step in outcome.steps:
            assert step.newly_unmasked == tuple(range(len(step.newly_unmasked))), "from the left, without a gap"

    @given(contexts, canvas_sizes, token_limits, st.floats(0.0, 1.0))
    def test_a_run_of_slots_is_as_probable_as_is_asked(self, context: list[int], size: int, limit: int, least: float):
        outcome = run(context, Joint(least, size), max_tokens=limit, runtime=ToyRuntime(local_width=4))
        for step in outcome.steps:
            slots = step.newly_unmasked
            assert slots == tuple(range(slots[0], slots[0] + len(slots)))
            assert len(slots) == 1 or np.prod(step.confidences) >= least * (1 - 1e-6)

    @given(contexts, canvas_sizes, token_limits)
    def test_without_a_bound_a_canvas_takes_one_pass(self, context: list[int], size: int, limit: int):
        outcome = run(context, Joint(0.0, size), max_tokens=limit, runtime=ToyRuntime(local_width=4))
        assert len(outcome.steps) <= -(-limit // size)
