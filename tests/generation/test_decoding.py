"""Bounds in lines and characters, kept by real tokens of a real tokenizer under every policy."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coder.api.completion import UNCONSTRAINED, CompletionRequest, Constraints, Decoding
from coder.diffusion.steering import Between, Without
from coder.engine.engine import Engine
from coder.errors import InputError
from coder.generation.decoding import TokenConstraints
from coder.model.checkpoint.tokens import Tokenizer

PREFIX, SUFFIX = "def add(first, second):\n    ", "\n\nclass Point:\n"
POLICIES = ["autoregressive", "verified", "lookup", "threshold:0.3", "fixed:2"]


@pytest.fixture(scope="module")
def tokens(engine: Engine) -> TokenConstraints:
    return TokenConstraints(engine.checkpoint.tokenizer, engine.config.vocab_size)


some_constraints = st.builds(
    Constraints,
    min_lines=st.integers(1, 3),
    max_lines=st.one_of(st.none(), st.integers(3, 5)),
    min_characters=st.integers(0, 8),
    max_characters=st.one_of(st.none(), st.integers(12, 30)),
    without=st.text(st.sampled_from("aer (\u00e9\u6f22"), max_size=3),
)


@given(some_constraints, st.sampled_from(POLICIES), st.integers(0, 5))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_every_answer_keeps_its_bounds(engine: Engine, constraints: Constraints, policy: str, number: int):
    request = CompletionRequest(
        f"{PREFIX}{number}", SUFFIX, constraints=constraints, decoding=Decoding(policy=policy, max_tokens=20)
    )
    answer = engine.complete(request)
    lines = answer.text.count("\n") + 1
    assert constraints.max_lines is None or lines <= constraints.max_lines
    assert constraints.max_characters is None or len(answer.text) <= constraints.max_characters
    assert not set(constraints.without) & set(answer.text)
    if answer.finish_reason == "end" and constraints.max_characters is None:
        assert lines >= constraints.min_lines
        assert len(answer.text) >= constraints.min_characters


def test_greedy_methods_agree_under_constraints(engine: Engine):
    constraints = Constraints(min_lines=2, max_lines=4, without="(")
    texts = {
        engine.complete(
            CompletionRequest(PREFIX, SUFFIX, constraints=constraints, decoding=Decoding(policy=policy, max_tokens=25))
        ).text
        for policy in ("autoregressive", "verified", "lookup")
    }
    assert len(texts) == 1


def test_tokens_count_for_their_line_breaks_and_characters(engine: Engine, tokens: TokenConstraints):
    tokenizer: Tokenizer = engine.checkpoint.tokenizer
    text = "def f():\n\n    return 'née 漢'\n"
    ids = tokenizer.encode(text)
    assert sum(tokens._line_breaks[ids]) == text.count("\n")
    assert len(text) <= sum(tokens._characters[ids]) <= len(text.encode())


@given(number=st.lists(st.integers(0, 10**6), max_size=12))
def test_whatever_bytes_meet_a_text_lies_between_its_tokens_sums(
    engine: Engine, tokens: TokenConstraints, number: list[int]
):
    """Tokens that are parts of characters may form one together, or none."""
    vocabulary = engine.config.vocab_size
    ids = [value % vocabulary for value in number if value % vocabulary not in engine.config.control.all]
    length = len(engine.checkpoint.tokenizer.decode(ids))
    assert sum(tokens._sure_characters[ids]) <= length <= sum(tokens._characters[ids])


def test_a_character_of_several_bytes_is_not_even_begun(engine: Engine, tokens: TokenConstraints):
    (without,) = tokens.of(Constraints(without="é"))
    assert isinstance(without, Without)
    first, second = "é".encode()
    held = {engine.checkpoint.tokenizer.token_bytes(token) for token in without.tokens.tolist()}
    assert bytes([first]) in held and bytes([second]) not in held


def test_no_constraints_are_none(tokens: TokenConstraints):
    assert list(tokens.of(UNCONSTRAINED)) == []
    assert [type(constraint) for constraint in tokens.of(Constraints(max_lines=1, min_characters=1))] == [Between] * 2


@pytest.mark.parametrize(
    "constraints",
    [
        Constraints(min_lines=0),
        Constraints(min_lines=3, max_lines=2),
        Constraints(max_lines=0),
        Constraints(min_characters=-1),
        Constraints(min_characters=5, max_characters=4),
        Constraints(without="\ud800"),
    ],
)
def test_bounds_that_nothing_can_keep_are_refused(engine: Engine, constraints: Constraints):
    with pytest.raises(InputError):
        engine.complete(CompletionRequest(PREFIX, constraints=constraints))
