"""Remasking: what is doubted is denoised again, all else stays, and the output never becomes less likely."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.api.completion import CompletionRequest, Decoding, Where
from coder.diffusion.block_diffusion import Autoregressive, BlockDiffusion
from coder.diffusion.run import DenoiseRequest
from coder.diffusion.unmasking import Threshold
from coder.engine.engine import Engine
from coder.errors import InputError
from coder.generation.remasking import (
    DEFAULT_ROUNDS,
    language_errors,
    low_confidence,
    parse_remasking,
    positions,
    refine,
)
from coder.generation.strategy import AdaptedStrategy, Strategy
from coder.model.checkpoint.config import Abilities
from coder.model.checkpoint.tokens import Tokenizer
from tests.diffusion.runs import contexts
from tests.diffusion.toy import END, ORDINARY, ToyCache, ToyRuntime, greedy_continuation
from tests.tiny import write_tiny_tokenizer

outputs = st.lists(st.sampled_from(ORDINARY), min_size=1, max_size=20)
algorithms = st.sampled_from([Autoregressive(), BlockDiffusion(Threshold(), 4), BlockDiffusion(Threshold(0.3), 8)])


def toy() -> Strategy:
    return AdaptedStrategy(ToyRuntime())


def request_for(context: list[int], algorithm) -> DenoiseRequest:
    return DenoiseRequest(context=context, cache=ToyCache(), algorithm=algorithm, end_token=END, max_tokens=40)


def likelihood(context: list[int], tokens) -> float:
    return float(toy().predictions_along(ToyCache(), context, [*tokens, END], (END,)).log_probability.sum())


@given(contexts, outputs, algorithms, st.sets(st.integers(0, 19)), st.integers(0, 3))
def test_only_doubted_positions_change_and_nothing_becomes_less_likely(context, output, algorithm, doubted, rounds):
    doubted = sorted(position for position in doubted if position < len(output))
    tokens, costs = refine(toy(), request_for(context, algorithm), output, lambda _: doubted, rounds)
    assert len(tokens) == len(output)
    assert all(tokens[position] == token for position, token in enumerate(output) if position not in doubted)
    assert likelihood(context, tokens) >= likelihood(context, output) - 1e-6
    if not doubted or not rounds:
        assert tokens == tuple(output)
        assert costs.decode_passes == 0


@given(contexts, algorithms)
def test_a_wrong_token_in_a_likely_output_is_put_right(context, algorithm):
    good = greedy_continuation(context, 8)
    if len(good) < 3:
        return
    wrong = list(good)
    wrong[-1] = next(token for token in ORDINARY if token != good[-1])

    def differing(tokens):
        return [position for position in range(len(good)) if tokens[position] != good[position]]

    tokens, _ = refine(toy(), request_for(context, algorithm), wrong, differing, 3)
    assert len(differing(tokens)) <= 1


def test_what_would_be_more_in_doubt_is_not_taken():
    context, output = [12, 13], [14, 15, 16, 17]
    seen = []

    def growing(tokens):
        seen.append(tokens)
        return range(min(len(seen), 4))

    tokens, _ = refine(toy(), request_for(context, Autoregressive()), output, growing, 3)
    assert tokens == tuple(output)


def test_a_cancelled_request_is_not_refined():
    request = replace(request_for([12], Autoregressive()), cancelled=lambda: True)
    assert refine(toy(), request, [13, 14], lambda _: [0], 3)[0] == (13, 14)


def test_confidence_is_for_checkpoints_that_learned_to_correct():
    request = request_for([12], Autoregressive())
    with pytest.raises(InputError, match="not trained to correct"):
        low_confidence(toy(), request)
    assert low_confidence(AdaptedStrategy(ToyRuntime(abilities=Abilities(correction=True))), request)


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


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    file = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    write_tiny_tokenizer(file)
    return Tokenizer(file)


def masked(tokenizer: Tokenizer, tokens: list[int], found) -> str:
    return "".join(piece for index, piece in enumerate(tokenizer.pieces(tokens)) if index in found)


def test_tokens_that_touch_a_span_are_found(tokenizer: Tokenizer):
    tokens = tokenizer.encode("a + né")
    assert masked(tokenizer, tokens, positions(tokens, [(104, 106)], 100, tokenizer)).strip() == "né"
    assert masked(tokenizer, tokens, positions(tokens, [(100, 100)], 100, tokenizer)) == "a"
    assert positions(tokens, [(0, 100), (106, 120)], 100, tokenizer) == []


@pytest.mark.parametrize(
    ("name", "answer", "wrong"), [("names", "return wdth + 1", "wdth"), ("syntax", "return = width", "=")]
)
def test_what_is_wrong_in_the_joined_text_is_masked(tokenizer: Tokenizer, name, answer, wrong):
    request = CompletionRequest("def f(width):\n    ", "\n", where=Where(path="a.py"))
    doubts = language_errors(name, request, "", tokenizer)
    tokens = tokenizer.encode(answer)
    found = doubts(tokens)
    assert wrong in masked(tokenizer, tokens, found)
    assert len(found) < len(tokens)
    assert doubts(tokenizer.encode("return width")) == []


@pytest.mark.parametrize("remasking", ["syntax", "names:1"])
@pytest.mark.parametrize("policy", ["autoregressive", "threshold:0.3"])
def test_an_answer_is_never_less_likely_for_it(engine: Engine, remasking: str, policy: str):
    for prefix in ("def add(first, second):\n    ", "for index in range(", "class Point:\n"):
        request = CompletionRequest(
            prefix, "\n", where=Where(path="a.py"), decoding=Decoding(policy=policy, max_tokens=60)
        )
        plain = engine.complete(request)
        again = engine.complete(CompletionRequest(**{**vars(request), "remasking": remasking}))
        before, after = (engine.score(prefix, "\n", each.text) for each in (plain, again))
        assert after.log_probability + after.end_log_probability >= (
            before.log_probability + before.end_log_probability - 0.05
        )


@pytest.mark.parametrize("remasking", ["confidence", "grammar"])
def test_what_cannot_be_done_is_an_error_of_the_caller(engine: Engine, remasking: str):
    with pytest.raises(InputError):
        engine.complete(CompletionRequest("x = ", remasking=remasking, decoding=Decoding(max_tokens=4)))
