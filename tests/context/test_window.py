"""The window around a hole: within its budgets, next to the cursor, and steady while the user types."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.context.window import (
    CHARACTERS_PER_TOKEN_AT_MOST,
    LineTokenCounter,
    closing_brackets,
    estimate_tokens,
    joint_window,
    prefix_start,
    replaced_characters,
    window,
)
from coder.model.checkpoint.opening import find_checkpoint
from coder.model.checkpoint.tokens import Tokenizer

TOKENIZER = Tokenizer(find_checkpoint("embedded") / "tokenizer.json")


def count_bytes(text: str) -> int:
    """As many tokens as a tokenizer without any merges."""
    return len(text.encode())


def count_words(text: str) -> int:
    return len(text.split())


counters = st.sampled_from([estimate_tokens, count_bytes, count_words])
texts = st.text(st.sampled_from("ab \n)]}\t(é漢"), max_size=400)
code_lines = st.lists(st.integers(10, 70).map(lambda length: "x" * length + "\n"), min_size=150, max_size=200)


@given(texts, texts, counters, st.integers(0, 60), st.integers(0, 60))
def test_window_lies_around_the_hole_within_its_budgets(prefix, suffix, count_tokens, prefix_tokens, suffix_tokens):
    seen = window(prefix, suffix, count_tokens, prefix_tokens, suffix_tokens)
    assert prefix.endswith(seen.prefix)
    assert suffix.startswith(seen.replaced + seen.suffix)
    assert count_tokens(seen.prefix) <= prefix_tokens
    assert count_tokens(seen.suffix) <= suffix_tokens


@given(texts, texts)
def test_a_text_within_the_budgets_is_shown_whole(prefix, suffix):
    seen = window(prefix, suffix, estimate_tokens, 400, 400)
    assert (seen.prefix, seen.replaced + seen.suffix) == (prefix, suffix)


@given(code_lines, st.integers(40, 512))
def test_window_is_used_well_and_begins_and_ends_with_lines(lines, budget):
    text = "".join(lines)
    seen = window(text, text, estimate_tokens, budget, budget)
    for part in (seen.prefix, seen.suffix):
        assert budget / 2 <= estimate_tokens(part)
    if budget >= 100:  # a single line never takes half of such a budget
        assert seen.prefix in {"".join(lines[index:]) for index in range(len(lines))}
        assert seen.suffix in {"".join(lines[:index]) for index in range(len(lines) + 1)}


@given(code_lines)
def test_border_stays_while_tens_of_lines_are_typed(lines):
    starts = [
        prefix_start("".join(lines[:typed]), estimate_tokens, 512) for typed in range(len(lines) - 100, len(lines))
    ]
    moves = sum(before != after for before, after in itertools.pairwise(starts))
    assert starts == sorted(starts)
    assert moves <= 100 * 70 // 512 + 1


def test_border_stays_within_a_long_line():
    """A line of a megabyte, in the middle of which the user types."""
    line = "1," * 500_000
    starts = {prefix_start(line + "x" * typed, count_bytes, 512) for typed in range(40)}
    assert len(starts) <= 2


@given(st.sampled_from(["line of code\n", "x", "漢字\n", " "]), counters)
def test_a_large_text_is_never_counted_whole(unit, count_tokens):
    longest = 0

    def counted(text: str) -> int:
        nonlocal longest
        longest = max(longest, len(text))
        return count_tokens(text)

    text = unit * (500_000 // len(unit))
    window(text, text, counted, 512, 256)
    assert 0 < longest <= 512 * CHARACTERS_PER_TOKEN_AT_MOST


@pytest.mark.parametrize(
    ("suffix", "replaced"),
    [
        (")\nrest", ")"),
        (" ) ] \nrest", " ) ] "),
        ("}", "}"),
        (")\r\nrest", ")"),
        (")  # why\n", ""),
        ("):\n", ""),
        ("  \n)", ""),
        ("\n)", ""),
        ("", ""),
        ("x)\n", ""),
    ],
)
def test_only_closing_brackets_alone_on_the_rest_of_the_line_are_replaced(suffix, replaced):
    assert closing_brackets(suffix) == replaced
    assert window("call(", suffix).suffix == suffix[len(replaced) :]


def test_brackets_behind_the_hole_stay_where_they_are_not_to_be_replaced():
    assert window("f(", ")\n", replace_brackets=True).replaced == ")"
    kept = window("f(", ")\n", replace_brackets=False)
    assert (kept.replaced, kept.suffix) == ("", ")\n")


@pytest.mark.parametrize(
    ("answer", "brackets", "replaced"),
    [("1)", ")", 1), ("1", ")", 0), ("f(1)", ")", 0), ("1])", "] )", 3), ("", "", 0)],
)
def test_an_answer_replaces_brackets_only_by_closing_as_many(answer: str, brackets: str, replaced: int):
    assert replaced_characters(answer, brackets) == replaced


@given(st.lists(st.text("ab \n", max_size=60), min_size=3, max_size=5), st.integers(1, 60), st.integers(1, 60))
def test_texts_around_several_holes_are_cut_at_their_outer_ends_alone(
    texts: list[str], prefix_budget: int, suffix_budget: int
):
    shown = joint_window(texts, len, prefix_budget, suffix_budget)
    between = sum(map(len, texts[1:-1]))
    if shown is None:
        assert between > suffix_budget
        return
    assert shown[1:-1] == tuple(texts[1:-1])
    assert texts[0].endswith(shown[0]) and len(shown[0]) <= prefix_budget
    assert texts[-1].startswith(shown[-1]) and between + len(shown[-1]) <= suffix_budget


@given(st.lists(st.text(alphabet="ab=()#", min_size=1, max_size=20), max_size=10))
def test_counting_by_lines_is_exact_where_no_blanks_meet_a_line_break(lines: list[str]):
    text = "\n".join(lines)
    assert LineTokenCounter(TOKENIZER.encode)(text) == len(TOKENIZER.encode(text))


def test_counting_by_lines_comes_close_to_the_whole_on_real_code():
    text = Path(__file__).read_text(encoding="utf-8")
    whole = len(TOKENIZER.encode(text))
    assert 0.9 * whole <= LineTokenCounter(TOKENIZER.encode)(text) <= 1.1 * whole


def test_a_line_is_tokenised_once():
    asked: list[str] = []

    def encode(text: str) -> list[int]:
        asked.append(text)
        return [0] * len(text)

    count = LineTokenCounter(encode)
    assert count("one\ntwo\n") == 8
    assert count("one\ntwo\nthree") == 13
    assert asked == ["one\n", "two\n", "three"]
