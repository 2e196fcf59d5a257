"""What holds whatever the algorithm; `runs.run` checks the laws of the event stream on every run."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.diffusion import events as diffusion_events
from coder.diffusion.block_diffusion import Autoregressive, BlockDiffusion, Lookup, Verified
from coder.diffusion.events import Committed, Prefilled, Step
from coder.diffusion.run import DecodingAlgorithm, DenoiseRequest, Sampler
from coder.diffusion.unmasking import FixedSteps, Threshold, UnmaskingPolicy
from coder.errors import InputError
from coder.model.runtime import common_prefix_length
from tests.diffusion.runs import algorithms, canvas_algorithms, contexts, policies, run, token_limits
from tests.diffusion.toy import END, HOLE, MASK, ORDINARY, ToyCache, ToyRuntime

CONTEXT = [8, 20, 21, 22, 23, 24]
ALGORITHMS = [BlockDiffusion(Threshold(0.9), 8), Verified(8), Lookup(4), Autoregressive()]
seeds = st.integers(0, 2**32)


@given(contexts, algorithms, token_limits)
def test_every_run_ends_within_its_limit(context: list[int], algorithm: DecodingAlgorithm, max_tokens: int):
    assert run(context, algorithm, max_tokens=max_tokens).finished.reason in ("end", "length")


@given(contexts, contexts, algorithms)
def test_a_cache_changes_nothing_but_the_work(before: list[int], after: list[int], algorithm: DecodingAlgorithm):
    context = [*before, *after]
    fresh = run(context, algorithm)
    used = run(before, algorithm)
    again = run(context, algorithm, cache=used.cache)
    assert again.output == fresh.output
    assert [*again.events[1:-1]] == [*fresh.events[1:-1]]
    statistics = again.finished.statistics
    assert statistics.reused_tokens >= len(before) - 1
    assert statistics.reused_tokens + statistics.prefill_tokens == len(context) - 1
    assert again.events[0] == Prefilled(statistics.reused_tokens, statistics.prefill_tokens)


@given(contexts, algorithms)
def test_the_same_request_again_prefills_nothing(context: list[int], algorithm: DecodingAlgorithm):
    first = run(context, algorithm)
    second = run(context, algorithm, cache=first.cache)
    assert second.output == first.output
    assert second.finished.statistics.prefill_passes == 0


@given(contexts, algorithms)
def test_accepted_output_is_reused_as_context(context: list[int], algorithm: DecodingAlgorithm):
    first = run(context, algorithm)
    longer = [*context, *first.output, 20]
    held = len(first.cache.tokens)
    assert run(longer, algorithm, cache=first.cache).finished.statistics.reused_tokens == held


@given(contexts, contexts, algorithms)
def test_an_edit_forgets_what_came_after_it(context: list[int], edited: list[int], algorithm: DecodingAlgorithm):
    used = run(context, algorithm)
    shared = common_prefix_length(used.cache.tokens, edited[:-1])
    again = run(edited, algorithm, cache=used.cache)
    assert again.output == run(edited, algorithm).output
    assert again.finished.statistics.reused_tokens == shared


@given(contexts, algorithms, st.integers(1, 30))
def test_prefill_in_chunks_equals_prefill_at_once(context: list[int], algorithm: DecodingAlgorithm, chunk: int):
    chunked = run(context, algorithm, prefill_chunk=chunk)
    assert chunked.output == run(context, algorithm, prefill_chunk=1000).output
    assert chunked.finished.statistics.prefill_passes == -(-(len(context) - 1) // chunk)
    assert all(len(request.tokens) <= max(chunk, 1) for request in chunked.runtime.passes if not request.wanted)


@given(contexts, st.one_of(canvas_algorithms, st.just(Autoregressive())), seeds, st.floats(0.1, 2.0))
def test_a_seed_repeats(context: list[int], algorithm: DecodingAlgorithm, seed: int, temperature: float):
    first, second = (run(context, algorithm, temperature=temperature, top_p=0.9, seed=seed) for _ in range(2))
    assert first.output == second.output
    assert first.steps == second.steps


@pytest.mark.parametrize("algorithm", [BlockDiffusion(Threshold(0.9), 8), Autoregressive()], ids=str)
def test_sampling_varies(algorithm: DecodingAlgorithm):
    outputs = {tuple(run(CONTEXT, algorithm, temperature=1.0, seed=seed).output) for seed in range(10)}
    assert len(outputs) > 5


@given(contexts, algorithms)
def test_a_control_token_is_produced_only_where_it_is_allowed(context: list[int], algorithm: DecodingAlgorithm):
    assert HOLE not in run(context, algorithm).output
    for request in run(context, algorithm, control_tokens=(HOLE,)).runtime.passes:
        assert request.control_tokens == ((END, HOLE) if request.wanted else ())


def test_an_allowed_control_token_can_be_produced():
    outputs = [run([8, token], Autoregressive(), control_tokens=(HOLE,)).output for token in ORDINARY]
    assert any(HOLE in output for output in outputs)


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=str)
@pytest.mark.parametrize("allowed", range(8))
def test_cancellation_stops_before_the_next_pass(algorithm: DecodingAlgorithm, allowed: int):
    runtime = ToyRuntime()
    stopped = run(
        CONTEXT, algorithm, runtime=runtime, prefill_chunk=2, cancelled=lambda: len(runtime.passes) >= allowed
    )
    assert stopped.finished.reason == "cancelled"
    assert len(runtime.passes) == allowed


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=str)
@pytest.mark.parametrize("allowed", range(8))
def test_a_deadline_stops_before_the_next_pass(algorithm: DecodingAlgorithm, allowed: int):
    runtime = ToyRuntime()
    clock = SimpleNamespace(monotonic=lambda: len(runtime.passes))
    with patch.object(diffusion_events, "time", clock):
        stopped = run(CONTEXT, algorithm, runtime=runtime, prefill_chunk=2, deadline=allowed)
    assert stopped.finished.reason == "deadline"
    assert len(runtime.passes) == allowed


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=str)
def test_a_deadline_in_the_past_is_answered_at_once_and_one_in_the_future_not_noticed(algorithm: DecodingAlgorithm):
    assert run(CONTEXT, algorithm, deadline=time.monotonic() - 1).finished.reason == "deadline"
    assert run(CONTEXT, algorithm, deadline=time.monotonic() + 60).finished.reason in ("end", "length")


@given(contexts, canvas_algorithms, st.integers(0, 40))
def test_stopped_in_a_canvas_what_is_fixed_from_its_start_is_pending(
    context: list[int], algorithm: BlockDiffusion, allowed: int
):
    runtime = ToyRuntime()
    stopped = run(context, algorithm, runtime=runtime, cancelled=lambda: len(runtime.passes) >= allowed)
    finished = run(context, algorithm)
    expected = ()
    if stopped.finished.reason == "cancelled" and isinstance(stopped.events[-2:][0], Step):
        canvas = stopped.steps[-1].canvas
        expected = canvas[: canvas.index(MASK)]
    assert stopped.finished.pending == expected
    produced = [*stopped.output, *expected]
    assert produced == finished.output[: len(produced)]


@given(contexts, st.integers(0, 40))
def test_a_draft_is_never_pending(context: list[int], allowed: int):
    runtime = ToyRuntime()
    stopped = run(context, Verified(8), runtime=runtime, cancelled=lambda: len(runtime.passes) >= allowed)
    assert stopped.finished.pending == ()


@given(contexts, algorithms, st.integers(0, 12))
def test_a_run_left_early_leaves_a_usable_cache(context: list[int], algorithm: DecodingAlgorithm, taken: int):
    runtime, cache = ToyRuntime(), ToyCache()
    events = Sampler(runtime).denoise(DenoiseRequest(context, cache, algorithm, END, max_tokens=30))
    for _ in zip(range(taken), events, strict=False):
        pass
    assert run(context, algorithm, cache=cache).output == run(context, algorithm).output


@given(contexts, algorithms, token_limits)
def test_a_model_of_few_positions_is_used_to_the_last(
    context: list[int], algorithm: DecodingAlgorithm, max_tokens: int
):
    runtime = ToyRuntime(max_positions=len(context) + max_tokens)
    outcome = run(context, algorithm, runtime=runtime, max_tokens=max_tokens)
    assert outcome.finished.reason == "end" or len(outcome.output) == max_tokens


fixed_slots = st.dictionaries(st.integers(0, 29), st.sampled_from(ORDINARY), max_size=6)


@given(contexts, canvas_algorithms, fixed_slots)
def test_a_fixed_slot_is_never_changed_and_the_end_comes_after_it(
    context: list[int], algorithm: BlockDiffusion, fixed: dict[int, int]
):
    output = run(context, algorithm, fixed=fixed).output
    assert {position: output[position] for position in fixed} == fixed


@given(contexts, policies, st.lists(st.sampled_from(ORDINARY), max_size=4))
def test_after_the_last_fixed_slot_all_is_as_if_it_were_context(
    context: list[int], policy: UnmaskingPolicy, start: list[int]
):
    one_by_one = BlockDiffusion(policy, canvas_size=1)
    fixed = run(context, one_by_one, fixed=dict(enumerate(start)), max_tokens=20 + len(start))
    assert fixed.output == [*start, *run([*context, *start], one_by_one, max_tokens=20).output]


@given(contexts, canvas_algorithms, st.integers(0, 29))
def test_an_end_given_in_advance_sets_the_length(context: list[int], algorithm: BlockDiffusion, length: int):
    outcome = run(context, algorithm, fixed={length: END})
    assert len(outcome.output) == length
    assert outcome.finished.reason == "end"


@given(contexts)
def test_where_everything_is_given_no_pass_is_needed(context: list[int]):
    outcome = run(context, BlockDiffusion(Threshold(0.9), 8), max_tokens=3, fixed={0: 20, 1: 21, 2: 22})
    assert outcome.output == [20, 21, 22]
    assert outcome.finished.statistics.decode_passes == 0
    assert outcome.finished.statistics.mean_confidence == 1.0


def test_tokens_are_told_before_they_are_brought_into_the_cache():
    runtime = ToyRuntime()
    request = DenoiseRequest(CONTEXT, ToyCache(), BlockDiffusion(FixedSteps(1), 4), END, fixed={20: 20})
    for event in Sampler(runtime).denoise(request):
        if isinstance(event, Committed):
            assert not runtime.passes[-1].causal


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": -0.5}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"top_p": 0.0}, "top_p"),
        ({"top_p": 1.5}, "top_p"),
        ({"fixed": {16: 20}, "max_tokens": 16}, "max_tokens"),
        ({"fixed": {-1: 20}}, "fixed"),
    ],
)
def test_settings_out_of_range_are_refused(setting: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        run(CONTEXT, Autoregressive(), **setting)


@given(contexts, contexts)
def test_the_common_prefix_is_the_longest_shared_one(first: list[int], second: list[int]):
    length = common_prefix_length(first, second)
    assert first[:length] == second[:length]
    assert first[length : length + 1] != second[length : length + 1] or length == min(len(first), len(second))
