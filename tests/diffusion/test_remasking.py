"""Remasking: what is doubted is denoised again, all else stays, and the output never becomes less likely."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.diffusion.block_diffusion import Autoregressive, BlockDiffusion
from coder.diffusion.remasking import (
    DEFAULT_ROUNDS,
    LowConfidence,
    SyntaxErrors,
    UndefinedNames,
    parse_remasking,
    refine,
)
from coder.diffusion.run import DenoiseRequest
from coder.diffusion.scoring import score
from coder.diffusion.unmasking import Threshold
from coder.errors import InputError
from coder.model.checkpoint.config import Abilities
from tests.diffusion.runs import contexts
from tests.diffusion.toy import CONFIG, END, ORDINARY, ToyCache, ToyRuntime, greedy_continuation

outputs = st.lists(st.sampled_from(ORDINARY), min_size=1, max_size=20)
algorithms = st.sampled_from([Autoregressive(), BlockDiffusion(Threshold(), 4), BlockDiffusion(Threshold(0.3), 8)])


def request_for(context: list[int], algorithm) -> DenoiseRequest:
    return DenoiseRequest(context=context, cache=ToyCache(), algorithm=algorithm, end_token=END, max_tokens=40)


def likelihood(context: list[int], tokens) -> float:
    return float(score(ToyRuntime(), ToyCache(), context, [*tokens, END], (END,)).sum())


@given(contexts, outputs, algorithms, st.sets(st.integers(0, 19)), st.integers(0, 3))
def test_only_doubted_positions_change_and_nothing_becomes_less_likely(context, output, algorithm, doubted, rounds):
    doubted = sorted(position for position in doubted if position < len(output))
    refined = refine(ToyRuntime(), request_for(context, algorithm), output, SyntaxErrors(lambda _: doubted), rounds)
    assert len(refined.tokens) == len(output)
    assert all(refined.tokens[position] == token for position, token in enumerate(output) if position not in doubted)
    assert likelihood(context, refined.tokens) >= likelihood(context, output) - 1e-6
    if not doubted or not rounds:
        assert refined.tokens == tuple(output)
        assert refined.statistics.decode_passes == 0


@given(contexts, algorithms)
def test_a_wrong_token_in_a_likely_output_is_put_right(context, algorithm):
    good = greedy_continuation(context, 8)
    if len(good) < 3:
        return
    wrong = list(good)
    wrong[-1] = next(token for token in ORDINARY if token != good[-1])

    def differing(tokens):
        return [position for position in range(len(good)) if tokens[position] != good[position]]

    refined = refine(ToyRuntime(), request_for(context, algorithm), wrong, UndefinedNames(differing), 3)
    assert len(differing(refined.tokens)) <= 1


def test_what_would_be_more_in_doubt_is_not_taken():
    context, output = [12, 13], [14, 15, 16, 17]
    seen = []

    def growing(tokens):
        seen.append(tokens)
        return range(min(len(seen), 4))

    refined = refine(ToyRuntime(), request_for(context, Autoregressive()), output, SyntaxErrors(growing), 3)
    assert refined.tokens == tuple(output)


def test_a_cancelled_request_is_not_refined():
    request = replace(request_for([12], Autoregressive()), cancelled=lambda: True)
    assert refine(ToyRuntime(), request, [13, 14], SyntaxErrors(lambda _: [0]), 3).tokens == (13, 14)


def test_confidence_is_for_checkpoints_that_learned_to_correct():
    with pytest.raises(InputError, match="not trained to correct"):
        LowConfidence.of(CONFIG)
    assert LowConfidence.of(replace(CONFIG, abilities=Abilities(correction=True))).confidence > 0


@pytest.mark.parametrize(
    ("text", "parsed"),
    [("syntax", ("syntax", DEFAULT_ROUNDS)), ("names:3", ("names", 3)), ("confidence:0", ("confidence", 0))],
)
def test_it_is_written_as_a_name_and_a_number(text, parsed):
    assert parse_remasking(text) == parsed


@pytest.mark.parametrize("text", ["", "grammar", "syntax:x", "syntax:-1", "names:1:2"])
def test_anything_else_is_refused_with_what_there_is(text):
    with pytest.raises(InputError, match=r"syntax\[:ROUNDS\]"):
        parse_remasking(text)
