from __future__ import annotations

from itertools import takewhile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.diffusion.block_diffusion import Autoregressive, BlockDiffusion, Lookup, Verified, parse_algorithm
from coder.diffusion.events import Committed, Step
from coder.diffusion.run import DecodingAlgorithm
from coder.diffusion.unmasking import EntropyBound, FixedSteps, Threshold
from coder.errors import InputError
from coder.model.runtime import common_prefix_length
from tests.diffusion.runs import (
    canvas_algorithms,
    canvas_sizes,
    contexts,
    exact_algorithms,
    run,
    token_limits,
    verified_algorithms,
)
from tests.diffusion.toy import END, MASK, ORDINARY, greedy_continuation

CONTEXT = [8, 20, 21, 22]


@given(contexts, token_limits)
def test_autoregressive_decoding_is_greedy_one_token_a_pass(context: list[int], max_tokens: int):
    outcome = run(context, Autoregressive(), max_tokens=max_tokens)
    assert outcome.output == greedy_continuation(context, max_tokens)
    end = outcome.finished.reason == "end"
    assert outcome.finished.statistics.decode_passes == len(outcome.output) + end


@given(contexts, exact_algorithms, token_limits)
def test_verified_decoding_is_greedy_autoregressive_decoding(
    context: list[int], algorithm: Verified | Lookup, max_tokens: int
):
    verified = run(context, algorithm, max_tokens=max_tokens)
    autoregressive = run(context, Autoregressive(), max_tokens=max_tokens)
    assert verified.output == autoregressive.output
    assert verified.finished.reason == autoregressive.finished.reason
    committed, exact = (outcome.finished.statistics.mean_confidence for outcome in (verified, autoregressive))
    assert committed == pytest.approx(exact)


@given(contexts, verified_algorithms, token_limits)
def test_a_draft_is_kept_up_to_its_first_mistake_and_corrected_there(
    context: list[int], algorithm: Verified, max_tokens: int
):
    outcome = run(context, algorithm, max_tokens=max_tokens)
    rest, draft = [*outcome.output, END], ()
    for event in outcome.events:
        if isinstance(event, Step):
            draft = tuple(takewhile(lambda token: token not in (MASK, END), event.canvas))
        elif isinstance(event, Committed):
            agreed = common_prefix_length(draft, rest)
            assert [*event.tokens, END][: agreed + 1] == rest[: agreed + 1]
            assert len(event.tokens) == len([token for token in rest[: agreed + 1] if token != END])
            rest, draft = rest[len(event.tokens) :], ()


@given(contexts, exact_algorithms)
def test_what_was_verified_is_not_computed_again(context: list[int], algorithm: Verified | Lookup):
    for request in run(context, algorithm).runtime.passes:
        assert not (request.causal and request.wanted) or len(request.tokens) == len(request.wanted)


def test_verified_decoding_takes_fewer_passes_where_drafts_are_right():
    outcomes = [run([8, token], Verified(8)) for token in ORDINARY]
    verifications = sum(outcome.finished.statistics.commit_passes for outcome in outcomes)
    ends = sum(outcome.finished.reason == "end" for outcome in outcomes)
    assert verifications < 0.6 * (sum(len(outcome.output) for outcome in outcomes) + ends)


@given(contexts, canvas_sizes, token_limits)
def test_a_draft_costs_one_pass_and_never_exceeds_what_is_left(context: list[int], size: int, max_tokens: int):
    outcome = run(context, Verified(size), max_tokens=max_tokens)
    statistics = outcome.finished.statistics
    assert statistics.canvas_passes <= statistics.commit_passes <= statistics.tokens + 1
    for request in outcome.runtime.passes:
        if request.wanted:
            assert len(request.wanted) <= min(size + 1, max_tokens)
            assert request.causal is False or END not in request.tokens


def test_the_last_token_is_not_drafted():
    statistics = run(CONTEXT, Verified(8), max_tokens=1).finished.statistics
    assert (statistics.canvas_passes, statistics.commit_passes) == (0, 1)


@given(contexts, canvas_algorithms, token_limits)
def test_block_diffusion_takes_at_most_a_step_a_slot_and_a_commit_between_canvases(
    context: list[int], algorithm: BlockDiffusion, max_tokens: int
):
    outcome = run(context, algorithm, max_tokens=max_tokens)
    statistics = outcome.finished.statistics
    end = outcome.finished.reason == "end"
    canvases = -(-(statistics.tokens + end) // algorithm.canvas_size)
    assert statistics.commit_passes == canvases - 1
    assert statistics.canvas_passes <= canvases * algorithm.canvas_size


@given(contexts, st.integers(1, 6), canvas_sizes)
def test_fixed_steps_bound_the_passes_of_a_canvas(context: list[int], steps: int, size: int):
    outcome = run(context, BlockDiffusion(FixedSteps(steps), size))
    statistics = outcome.finished.statistics
    assert statistics.canvas_passes <= steps * (statistics.commit_passes + 1)


@given(contexts, canvas_sizes)
def test_a_canvas_pass_sees_the_anchor_and_a_whole_canvas(context: list[int], size: int):
    outcome = run(context, BlockDiffusion(Threshold(0.9), size))
    for request in outcome.runtime.passes:
        if not request.causal:
            assert len(request.tokens) == size + 1


@given(contexts, st.floats(0.0, 1.0), canvas_sizes)
def test_slots_fixed_beside_the_best_one_reach_the_threshold(context: list[int], tau: float, size: int):
    for step in run(context, BlockDiffusion(Threshold(tau), size)).steps:
        below = [confidence for confidence in step.confidences if confidence < np.float32(tau)]
        assert not below or len(step.confidences) == 1


@given(contexts, token_limits)
def test_canvases_of_one_slot_are_nearly_autoregressive(context: list[int], max_tokens: int):
    """A slot that sees only the context differs from a context pass by the mask alone."""
    outcome = run(context, BlockDiffusion(Threshold(0.9), 1), max_tokens=max_tokens)
    statistics = outcome.finished.statistics
    assert statistics.canvas_passes == statistics.tokens + (outcome.finished.reason == "end")


@pytest.mark.parametrize("algorithm", [Verified(8), Lookup(4), Autoregressive()], ids=str)
def test_fixed_slots_are_refused_where_the_output_is_the_model_s_own(algorithm: DecodingAlgorithm):
    with pytest.raises(InputError, match="canvas policy"):
        run(CONTEXT, algorithm, fixed={2: 20})


def test_verified_decoding_refuses_to_sample():
    with pytest.raises(InputError, match="greedy"):
        run(CONTEXT, Verified(8), temperature=0.5)


@pytest.mark.parametrize(
    ("text", "algorithm", "description"),
    [
        ("autoregressive", Autoregressive(), "autoregressive"),
        ("verified", Verified(12), "verified, canvas 12"),
        ("lookup", Lookup(4), "lookup, draft 4"),
        ("lookup:6", Lookup(6), "lookup, draft 6"),
        ("entropy:0.25", BlockDiffusion(EntropyBound(0.25), 12), "entropy(0.25), canvas 12"),
        ("fixed", BlockDiffusion(FixedSteps(8), 12), "fixed(8 steps, linear), canvas 12"),
    ],
)
def test_an_algorithm_is_named_and_describes_itself(text: str, algorithm: DecodingAlgorithm, description: str):
    assert parse_algorithm(text, canvas_size=12) == algorithm
    assert str(algorithm) == description
    assert str(Verified(8, Threshold(0.9))) == "verified threshold(0.9), canvas 8"


def test_an_unknown_algorithm_is_answered_with_all_that_exist():
    with pytest.raises(InputError, match=r"autoregressive.*verified.*threshold.*factor.*entropy.*fixed"):
        parse_algorithm("beam", canvas_size=8)


@pytest.mark.parametrize("text", ["verified", "threshold"])
def test_a_canvas_without_slots_or_with_too_many_is_refused(text: str):
    for size in (0, 1025):
        with pytest.raises(InputError, match="from 1 to 1024 slots"):
            parse_algorithm(text, canvas_size=size)


@pytest.mark.parametrize("text", ["lookup:0", "lookup:65", "joint:1.5", "joint:-1"])
def test_a_draft_or_a_probability_out_of_range_is_refused_with_its_range(text: str):
    with pytest.raises(InputError, match=r"takes a .* (1 to 64|0 to 1)"):
        parse_algorithm(text, canvas_size=8)
