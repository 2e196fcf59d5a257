from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.diffusion.schedules import CosineSchedule, LinearSchedule, Schedule, masked_counts
from coder.diffusion.unmasking import (
    Candidates,
    EntropyBound,
    Factor,
    FixedSteps,
    Scheduled,
    Threshold,
    UnmaskingPolicy,
    parse_policy,
    published_counts,
)
from coder.errors import InputError
from tests.diffusion.runs import policies

# Multiples of a power of two: their sums and products are exact, so a bound can be met exactly.
confidences = st.integers(0, 64).map(lambda n: n / 64)
entropies = st.integers(0, 640).map(lambda n: n / 64)
slots = st.lists(st.tuples(confidences, entropies), min_size=1, max_size=24)


def candidates(slots: list[tuple[float, float]], step: int = 0, masked_at_start: int | None = None) -> Candidates:
    confidence, entropy = np.array(slots, np.float32).T
    return Candidates(confidence, entropy, step, len(slots), masked_at_start or len(slots))


def chosen(policy: UnmaskingPolicy, slots: list[tuple[float, float]]) -> set[int]:
    return set(np.flatnonzero(policy.select(candidates(slots))).tolist())


@given(policies, slots)
def test_every_policy_fixes_something(policy: UnmaskingPolicy, slots: list[tuple[float, float]]):
    selection = policy.select(candidates(slots))
    assert selection.shape == (len(slots),)
    assert selection.dtype == np.bool_
    assert selection.any()


@given(confidences, slots)
def test_threshold_takes_the_confident_and_the_best(tau: float, slots: list[tuple[float, float]]):
    confidence = [c for c, _ in slots]
    assert chosen(Threshold(tau), slots) == {i for i, c in enumerate(confidence) if c >= tau} | {np.argmax(confidence)}


@given(st.sampled_from([0.5, 1.0, 2.0]), slots)
def test_factor_takes_the_largest_number_that_its_rule_allows(factor: float, slots: list[tuple[float, float]]):
    ordered = sorted((c for c, _ in slots), reverse=True)
    allowed = [n for n, c in enumerate(ordered, start=1) if (n + 1) * (1 - c) < factor]
    selection = chosen(Factor(factor), slots)
    assert len(selection) == max(allowed, default=1)
    assert sorted((slots[i][0] for i in selection), reverse=True) == ordered[: len(selection)]


@given(st.sampled_from([0.0, 0.5, 2.0]), slots)
def test_entropy_bound_takes_the_largest_set_under_its_bound(bound: float, slots: list[tuple[float, float]]):
    ordered = sorted(entropy for _, entropy in slots)
    allowed = [n for n in range(1, len(slots) + 1) if sum(ordered[:n]) - max(ordered[:n]) <= bound]
    selection = chosen(EntropyBound(bound), slots)
    assert len(selection) == max(allowed)
    assert sorted(slots[i][1] for i in selection) == ordered[: len(selection)]


@given(st.sampled_from([LinearSchedule(), CosineSchedule()]), st.integers(1, 30), slots)
def test_fixed_steps_follow_the_schedule(schedule: Schedule, steps: int, slots: list[tuple[float, float]]):
    policy, masked, passes = FixedSteps(steps, schedule), list(slots), 0
    while masked:
        selection = policy.select(candidates(masked, step=passes, masked_at_start=len(slots)))
        kept = [slot for slot, fixed in zip(masked, selection, strict=True) if not fixed]
        fixed_now = [slot for slot, fixed in zip(masked, selection, strict=True) if fixed]
        assert min(c for c, _ in fixed_now) >= max((c for c, _ in kept), default=0.0)
        masked, passes = kept, passes + 1
        if steps <= len(slots):
            assert len(masked) == masked_counts(schedule, len(slots), steps)[passes]
    assert passes == steps if steps <= len(slots) else passes <= len(slots)


def test_ties_go_to_the_left():
    tied = [(0.5, 1.0)] * 4
    assert chosen(Threshold(0.9), tied) == chosen(Factor(0.1), tied) == chosen(EntropyBound(0.0), tied) == {0}
    assert chosen(FixedSteps(2), tied) == {0, 1}


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("threshold", Threshold(0.9)),
        ("threshold:0.85", Threshold(0.85)),
        ("factor", Factor(1.0)),
        ("factor:1.5", Factor(1.5)),
        ("entropy", EntropyBound(0.1)),
        ("entropy:0", EntropyBound(0.0)),
        ("fixed", FixedSteps(8, LinearSchedule())),
        ("fixed:4", FixedSteps(4, LinearSchedule())),
        ("fixed:4:linear", FixedSteps(4, LinearSchedule())),
        ("fixed:4:cosine", FixedSteps(4, CosineSchedule())),
    ],
)
def test_a_policy_is_named_with_its_parameter(text: str, policy: UnmaskingPolicy):
    assert parse_policy(text) == policy


@pytest.mark.parametrize(
    "text",
    ["", "best", "threshold:", "threshold:high", "threshold:0.9:0.8", "entropy:a", "fixed:2.5", "fixed:4:square"],
)
def test_text_that_names_no_policy_is_answered_with_those_that_exist(text: str):
    with pytest.raises(InputError, match=r"threshold.*factor.*entropy.*fixed"):
        parse_policy(text)


@pytest.mark.parametrize(
    "text",
    [
        "threshold:1.5",
        "threshold:-0.1",
        "threshold:nan",
        "factor:0",
        "factor:inf",
        "entropy:-1",
        "entropy:nan",
        "entropy:1000",
        "fixed:0",
        "fixed:999999999999",
    ],
)
def test_a_parameter_out_of_range_is_refused_with_its_range(text: str):
    name, _, parameter = text.partition(":")
    with pytest.raises(InputError, match=rf"{name} takes .* not {parameter}"):
        parse_policy(text)


@given(st.integers(1, 64), st.integers(1, 80), st.sampled_from(["even", "proportional"]))
def test_a_published_schedule_fixes_every_slot_and_some_at_every_step(slots: int, steps: int, schedule: str):
    counts = published_counts(schedule, slots, steps)
    assert sum(counts) == slots and min(counts) >= 1 and len(counts) <= steps
    assert sum(published_counts(schedule, slots, None)) == slots


def test_even_steps_give_the_remainder_to_the_first_ones():
    assert published_counts("even", 10, 4) == (3, 3, 2, 2)
    assert published_counts("even", 4, None) == (1, 1, 1, 1)


@given(st.sampled_from(["confidence", "entropy", "margin"]), slots)
def test_scheduled_takes_the_best_by_what_it_goes_by(by: str, slots: list[tuple[float, float]]):
    confidence, entropy = np.array(slots, np.float32).T
    margin = confidence / 2
    given_slots = Candidates(confidence, entropy, 0, len(slots), len(slots), margin)
    policy = Scheduled("even", 2, by)  # type: ignore[arg-type]
    selection = policy.select(given_slots)
    score = {"confidence": confidence, "entropy": -entropy, "margin": margin}[by]
    assert selection.sum() == -(-len(slots) // 2)
    assert selection.all() or score[selection].min() >= score[~selection].max()


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("even", Scheduled("even")),
        ("even:8", Scheduled("even", 8)),
        ("even:entropy", Scheduled("even", None, "entropy")),
        ("proportional:16:margin", Scheduled("proportional", 16, "margin")),
    ],
)
def test_published_policies_are_written_with_steps_and_a_ranking(text: str, policy: Scheduled):
    assert parse_policy(text) == policy


@pytest.mark.parametrize("text", ["even:0", "even:999999999999", "even:fast", "even:1:2", "proportional:entropy:3"])
def test_what_is_no_published_policy_is_refused(text: str):
    with pytest.raises(InputError):
        parse_policy(text)
