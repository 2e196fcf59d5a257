"""The figures that are derived from runs."""

import pytest

from benchmarks.comparison import (
    AUTOREGRESSIVE,
    LLAMA_CPP,
    DecodingRun,
    Method,
    acceptance_row,
    accepted_drafts,
    decoding_row,
    prefill_tokens_per_second,
    take_turns,
    tokens_per_second,
)

CANVAS = Method("threshold:0.9", 8)


def run(tokens: int, passes: int, seconds: float, prefill_tokens: int = 0) -> DecodingRun:
    return DecodingRun(tuple(range(tokens)), passes, seconds, prefill_tokens, prefill_seconds=0.5)


def test_a_row_compares_methods_within_a_round():
    rounds = [
        {AUTOREGRESSIVE: [run(10, 11, 1.0)], CANVAS: [run(10, 5, 0.5)], LLAMA_CPP: [run(10, 11, 0.8)]},
        {AUTOREGRESSIVE: [run(10, 11, 4.0)], CANVAS: [run(10, 5, 2.0)], LLAMA_CPP: [run(10, 11, 0.8)]},
        {AUTOREGRESSIVE: [run(10, 11, 1.0)], CANVAS: [run(10, 5, 0.5)], LLAMA_CPP: [run(10, 11, 0.8)]},
    ]
    row = decoding_row(700, CANVAS, rounds)
    assert row["tokens"] == 10
    assert row["passes"] == 5
    assert row["tokens_per_pass"] == 2.0
    assert row["ms_per_pass"] == pytest.approx(100.0)
    assert row["tokens_per_second"] == pytest.approx(20.0)
    assert row["ratio"] == pytest.approx(2.0)
    # llama.cpp is the faster baseline, at 12.5 tokens a second: 1.25 in the time of a canvas pass.
    assert row["tokens_per_pass_to_match"] == pytest.approx(1.25)
    assert row["same_output"] == 1.0


def test_speed_is_the_median_of_rounds_over_all_prompts():
    rounds = [{AUTOREGRESSIVE: [run(10, 10, seconds), run(30, 30, seconds)]} for seconds in (1.0, 2.0, 10.0)]
    assert tokens_per_second(rounds, AUTOREGRESSIVE) == pytest.approx(10.0)


def test_prefill_counts_only_the_runs_that_computed_their_context():
    rounds = [{AUTOREGRESSIVE: [run(1, 1, 1.0, prefill_tokens=100)], CANVAS: [run(1, 1, 1.0)]}]
    assert prefill_tokens_per_second(rounds) == {"tokens_per_second": 200.0}


@pytest.mark.parametrize(("ended", "accepted"), [(False, [2, 0, 1]), (True, [2, 0, 2])])
def test_a_verification_adds_one_token_of_its_own(ended: bool, accepted: list[int]):
    verified = DecodingRun((), 6, 1.0, 0, 0.0, commits=(3, 1, 2), ended=ended)
    assert accepted_drafts(verified) == accepted
    row = acceptance_row(700, CANVAS, [{CANVAS: [verified]}])
    assert row["verifications"] == 3
    assert row["mean_accepted"] == pytest.approx(sum(accepted) / 3)
    assert row["accepted_none"] == 1


def test_methods_take_turns_and_each_is_first_once():
    first, calls = [], []

    def decoder(name: str):
        def decode(prompt: list[int], cache: list[str]) -> DecodingRun:
            calls.append((name, tuple(prompt)))
            if not cache:
                first.append(name)
            cache.append(name)
            return run(1, 1, 1.0)

        return decode

    decoders = {Method(name): decoder(name) for name in "abc"}
    rounds = take_turns(decoders, [[1], [2]], list, rounds=3)  # pyright: ignore[reportArgumentType]
    assert [list(runs) for runs in rounds] == [list(map(Method, order)) for order in ("abc", "bca", "cab")]
    assert first[1:] == ["a", "a", "b", "b", "c", "c"]
    assert len(calls) == 3 + 3 * 2 * 3
