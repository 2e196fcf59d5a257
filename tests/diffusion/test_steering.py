"""What an answer must not be, it is not, whatever the decoding method."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from coder.diffusion.block_diffusion import Autoregressive, BlockDiffusion, Lookup, Verified
from coder.diffusion.run import DecodingAlgorithm
from coder.diffusion.steering import UNKNOWN, Between, Constraint, Continued, Exactly, Without, with_next_unknown
from coder.diffusion.unmasking import Factor
from tests.diffusion.runs import algorithms, canvas_algorithms, canvas_sizes, contexts, run
from tests.diffusion.toy import CONFIG, END, HOLE, ORDINARY

AMOUNTS = np.arange(CONFIG.vocab_size) % 4
"""What each token counts for in these tests: 0 to 3."""

WEIGHTS = AMOUNTS + 1
"""The same where none counts for nothing: 1 to 4. Some tokens count for 1, so that any gap can be filled."""

bounds = st.tuples(st.integers(0, 12), st.one_of(st.none(), st.integers(0, 12))).map(
    lambda pair: (pair[0], None if pair[1] is None else pair[0] + pair[1])
)


@st.composite
def constraint_sets(draw: st.DrawFn) -> list[Constraint]:
    without = Without(np.array(sorted(draw(st.sets(st.sampled_from(ORDINARY), max_size=8))), np.int64))
    least, most = draw(bounds)
    return [without, Between(AMOUNTS, least, most, END)]


def total(output: list[int], amounts=AMOUNTS) -> int:
    return int(amounts[output].sum())


@given(contexts, algorithms, st.sets(st.sampled_from(ORDINARY), max_size=10))
def test_what_is_forbidden_does_not_occur(context: list[int], algorithm: DecodingAlgorithm, tokens: set[int]):
    constraint = Without(np.array(sorted(tokens), np.int64))
    assert not tokens & set(run(context, algorithm, constraints=[constraint]).output)


@given(contexts, algorithms, bounds)
def test_bounds_are_kept(context: list[int], algorithm: DecodingAlgorithm, least_and_most: tuple[int, int | None]):
    least, most = least_and_most
    outcome = run(context, algorithm, constraints=[Between(AMOUNTS, least, most, END)])
    assert most is None or total(outcome.output) <= most
    assert outcome.finished.reason == "length" or total(outcome.output) >= least


@given(contexts, algorithms, bounds)
@example([12], BlockDiffusion(Factor(0.5), 12), (3, 5))
def test_bounds_are_kept_where_every_token_counts(
    context: list[int], algorithm: DecodingAlgorithm, least_and_most: tuple[int, int | None]
):
    least, most = least_and_most
    outcome = run(context, algorithm, constraints=[Between(WEIGHTS, least, most, END, smallest=1)])
    assert most is None or total(outcome.output, WEIGHTS) <= most


@given(contexts, algorithms, st.integers(0, 4))
def test_a_token_occurs_as_often_as_it_has_to(context: list[int], algorithm: DecodingAlgorithm, count: int):
    outcome = run(context, algorithm, constraints=[Exactly(HOLE, count, END)], control_tokens=(HOLE,))
    assert outcome.output.count(HOLE) <= count
    assert outcome.finished.reason == "length" or outcome.output.count(HOLE) == count


@given(contexts, canvas_sizes, constraint_sets())
def test_verified_decoding_is_autoregressive_decoding_under_constraints_too(
    context: list[int], size: int, constraints: list[Constraint]
):
    expected = run(context, Autoregressive(), constraints=constraints)
    for algorithm in (Verified(size), Lookup(size)):
        outcome = run(context, algorithm, constraints=constraints)
        assert (outcome.output, outcome.finished.reason) == (expected.output, expected.finished.reason)


@given(contexts, canvas_algorithms, constraint_sets(), st.integers(0, 10), st.sampled_from(ORDINARY))
def test_a_fixed_slot_is_never_changed_and_nothing_ends_the_answer_before_it(
    context: list[int], algorithm: DecodingAlgorithm, constraints: list[Constraint], position: int, token: int
):
    output = run(context, algorithm, constraints=constraints, fixed={position: token}).output
    assert output[position] == token


@given(contexts, algorithms)
def test_constraints_that_say_nothing_change_nothing(context: list[int], algorithm: DecodingAlgorithm):
    nothing = [Without(np.zeros(0, np.int64)), Between(AMOUNTS, 0, None, END), Between(AMOUNTS, 0, 10_000, END)]
    assert run(context, algorithm, constraints=nothing).output == run(context, algorithm).output


def test_where_the_upper_bound_would_be_exceeded_the_answer_ends():
    bound = Between(AMOUNTS, 0, 3, END)
    excluded = bound.excluded(with_next_unknown([13, 13]), 2)
    assert all(AMOUNTS[excluded.ending] >= 2) and 14 in excluded.ending and 13 not in excluded.ending
    assert not len(excluded.forbidden)


def test_what_stands_behind_a_gap_counts():
    bound = Between(AMOUNTS, 0, 3, END)
    excluded = bound.excluded(np.array([UNKNOWN, 14]), 0)
    assert not excluded.allows(14)
    assert 14 in excluded.forbidden
    assert excluded.allows(13)


def test_the_end_may_stand_where_there_is_room_for_nothing_else():
    bound = Between(WEIGHTS, 0, 5, END, smallest=1)
    gaps_before_the_last = np.array([UNKNOWN] * 4 + [20])
    excluded = bound.excluded(np.append(gaps_before_the_last, UNKNOWN), 5)
    assert excluded.allows(END)
    assert not any(excluded.allows(token) for token in ORDINARY)


def test_the_end_waits_for_the_lower_bound_unless_a_gap_may_still_reach_it():
    bound = Between(AMOUNTS, 3, None, END)
    assert not bound.excluded(with_next_unknown([13]), 1).allows(END)
    assert bound.excluded(np.array([UNKNOWN, UNKNOWN]), 1).allows(END)
    assert bound.excluded(with_next_unknown([15]), 1).allows(END)


@given(st.lists(st.sampled_from(ORDINARY), max_size=6), st.lists(st.sampled_from(ORDINARY), max_size=6), bounds)
def test_a_continued_constraint_counts_from_the_start(
    start: list[int], more: list[int], least_and_most: tuple[int, int | None]
):
    constraint = Between(AMOUNTS, *least_and_most, END)
    whole = constraint.excluded(with_next_unknown([*start, *more]), len(start) + len(more))
    rest = Continued(constraint, tuple(start)).excluded(with_next_unknown(more), len(more))
    assert (whole.forbidden.tolist(), whole.ending.tolist()) == (rest.forbidden.tolist(), rest.ending.tolist())
