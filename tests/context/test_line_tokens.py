"""Counting tokens line by line equals counting them at once, nearly, and asks only about new lines."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from coder.context.line_tokens import LineTokenCounter
from coder.model.checkpoint.opening import find_checkpoint
from coder.model.checkpoint.tokens import Tokenizer

TOKENIZER = Tokenizer(find_checkpoint("embedded") / "tokenizer.json")


@given(st.lists(st.text(alphabet="ab=()#", min_size=1, max_size=20), max_size=10))
def test_exact_where_no_blanks_meet_a_line_break(lines: list[str]):
    text = "\n".join(lines)
    assert LineTokenCounter(TOKENIZER.encode)(text) == len(TOKENIZER.encode(text))


def test_close_to_the_whole_on_real_code():
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
