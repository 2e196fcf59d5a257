"""Syntax as a constraint: what breaks the text gives way to what does not, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.api.completion import CompletionRequest, Constraints, Decoding, Where
from coder.diffusion.block_diffusion import Autoregressive
from coder.diffusion.events import Finished, Statistics
from coder.diffusion.run import DenoiseRequest, Sampler
from coder.engine.engine import Engine
from coder.generation.decoding import Decoded, canvas_updates
from coder.generation.strategy import strategy_of
from coder.generation.syntax_constraint import (
    Judge,
    branches,
    judge_of,
    positions_until,
    read,
    sound_answer,
    sound_beginning,
)
from coder.model.runtime import Runtime
from coder.syntax.soundness import is_sound

PREFIX, SUFFIX = "def add(first, second):\n    return ", "\n\nclass Point:\n    pass\n"


def denoising(engine: Engine, runtime: Runtime, text: str = PREFIX, max_tokens: int = 6) -> DenoiseRequest:
    context = [engine.config.control.fim_prefix, *engine.checkpoint.tokenizer.encode(text)]
    cache = runtime.new_cache()
    return DenoiseRequest(context, cache, Autoregressive(), engine.config.control.fim_end, max_tokens)


def written(engine: Engine, runtime: Runtime, request: DenoiseRequest) -> Decoded:
    *_, answer = canvas_updates(Sampler(runtime).denoise(request), engine.checkpoint.tokenizer)
    assert isinstance(answer, Decoded)
    return answer


def choose(
    engine: Engine, runtime: Runtime, request: DenoiseRequest, accept: Callable[[str], bool | None], rounds: int
) -> Decoded:
    judge = Judge(accept, lambda text: None)
    return sound_answer(
        written(engine, runtime, request), request, strategy_of(runtime), engine.checkpoint.tokenizer, judge, rounds
    )


@given(st.text(st.sampled_from("ab (\n"), max_size=10), st.integers(1, 8))
def test_a_sound_answer_and_one_that_cannot_be_judged_stay(engine: Engine, runtime: Runtime, text: str, rounds: int):
    request = denoising(engine, runtime, text)
    answer = written(engine, runtime, request)
    for verdict in (True, None):
        chosen = choose(engine, runtime, request, lambda _, verdict=verdict: verdict, rounds)
        assert (chosen.text, chosen.tokens, chosen.finished.reason) == (
            answer.text,
            answer.tokens,
            answer.finished.reason,
        )
        assert chosen.finished.statistics.decode_passes == answer.finished.statistics.decode_passes


@given(st.text(st.sampled_from("ab (\n"), max_size=10), st.integers(0, 5))
def test_where_nothing_is_sound_the_answer_stays_and_the_rounds_are_bounded(
    engine: Engine, runtime: Runtime, text: str, rounds: int
):
    tried: list[str] = []
    request = denoising(engine, runtime, text)
    plain = written(engine, runtime, request)
    answer = choose(engine, runtime, request, lambda text: bool(tried.append(text)), rounds)
    assert (answer.text, answer.tokens) == (plain.text, plain.tokens)
    extra = answer.finished.statistics.commit_passes - plain.finished.statistics.commit_passes
    assert 1 <= extra <= 1 + rounds * request.max_tokens


def test_the_first_sound_answer_is_taken_and_pays_for_those_before_it(engine: Engine, runtime: Runtime):
    request = denoising(engine, runtime)
    plain = written(engine, runtime, request)
    answer = choose(engine, runtime, request, lambda text: not plain.text.startswith(text), rounds=3)
    assert answer.text != plain.text and answer.text.strip()
    assert answer.finished.statistics.tokens == len(answer.tokens)
    assert answer.finished.statistics.decode_passes > plain.finished.statistics.decode_passes
    assert engine.checkpoint.tokenizer.decode(answer.tokens) == answer.text


def test_other_answers_obey_the_constraints(engine: Engine, runtime: Runtime):
    from coder.generation.decoding import TokenConstraints

    tokens = TokenConstraints(engine.checkpoint.tokenizer, engine.config.vocab_size)
    constraints = tuple(tokens.of(Constraints(max_characters=6, without="e")))
    request = replace(denoising(engine, runtime), constraints=constraints)
    seen: list[str] = []
    choose(engine, runtime, request, lambda text: bool(seen.append(text)), rounds=6)
    assert len(seen) > 1
    assert all(len(text) <= 6 and "e" not in text for text in seen)


def test_branches_are_other_tokens_the_likeliest_first(engine: Engine, runtime: Runtime):
    request = denoising(engine, runtime)
    answer = written(engine, runtime, request)
    found = list(branches(answer, read(answer, request, strategy_of(runtime)), request, positions=3))
    costs = [branch.cost for branch in found]
    assert costs == sorted(costs) and costs[0] >= 0.0
    assert all(branch.position < 3 and branch.token != answer.tokens[branch.position] for branch in found)


def test_positions_end_with_the_faulty_character(engine: Engine):
    tokenizer = engine.checkpoint.tokenizer
    tokens = tokenizer.encode("x = = 1")
    pieces = tokenizer.pieces(tokens)
    assert positions_until(tokens, None, tokenizer) == len(tokens) + 1
    assert positions_until(tokens, 0, tokenizer) == 1
    until = positions_until(tokens, 4, tokenizer)
    assert len("".join(pieces[: until - 1])) <= 4 < len("".join(pieces[:until]))


def test_a_sound_beginning_is_better_than_nothing(engine: Engine):
    tokenizer = engine.checkpoint.tokenizer

    def beginning(text: str, inside_line: bool) -> str | None:
        tokens = tuple(tokenizer.encode(text))
        answer = Decoded(text, tokens, Finished("length", Statistics("none")))
        judge = Judge(lambda text: is_sound(text, "python"), lambda text: None, inside_line)
        found = sound_beginning(answer, judge, tokenizer)
        return found and found.text

    assert beginning("x = 1\ny = 2\nz = (", inside_line=False) == "x = 1\ny = 2"
    assert beginning("(\n(", inside_line=False) is None
    assert beginning("\n(", inside_line=False) is None
    assert beginning("0) + (", inside_line=True) == "0"
    assert beginning("0\n(", inside_line=True) == "0"


def test_a_judge_reads_the_whole_text():
    judge = judge_of(CompletionRequest("x = (", ")\n", where=Where(path="a.py")), replaced="")
    assert judge.is_sound("1") is True
    assert judge.is_sound("1)") is False
    judge = judge_of(CompletionRequest("x = (", ")\n", where=Where(path="a.py")), replaced=")")
    assert judge.is_sound("1)") is True
    assert judge_of(CompletionRequest("x = ("), "").is_sound("") is None
    assert judge_of(CompletionRequest("x = (", where=Where(language="javascript")), "").is_sound("1)") is True


def test_a_judge_tells_a_fault_before_the_answer_from_one_in_it():
    broken_before = judge_of(CompletionRequest("a = = 1\nx = ", "\n", where=Where(language="python")), "")
    assert broken_before.broken_at("1") == -1
    judge = judge_of(CompletionRequest("x = ", "\n", where=Where(language="python")), "")
    assert judge.broken_at("1 = = 2\ny = 3") == len("1 = = 2")
    assert judge.broken_at("(1") is None


@pytest.mark.parametrize("policy", ["auto", "verified", "threshold:0.5"])
def test_completions_with_the_constraint_are_never_less_sound(engine: Engine, policy: str):
    for number in range(3):
        request = CompletionRequest(
            f"{PREFIX}{number} + ",
            SUFFIX,
            where=Where(language="python"),
            decoding=Decoding(policy=policy, max_tokens=5),
        )
        plain = engine.complete(request)
        constrained = engine.complete(replace(request, syntax_rounds=4))
        sound = [is_sound(request.prefix + answer.text + SUFFIX, "python") is True for answer in (plain, constrained)]
        assert sound[0] <= sound[1]
        if sound[0]:
            assert constrained.text == plain.text


def test_a_deadline_ends_the_search(engine: Engine):
    request = CompletionRequest(
        PREFIX, SUFFIX, syntax_rounds=50, where=Where(language="python"), decoding=Decoding(deadline_ms=1e-3)
    )
    assert engine.complete(request).finish_reason == "deadline"
