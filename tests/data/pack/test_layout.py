"""The layout: a frozen prefix, the suffix, and the middle that begins with what was written since."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from coder.api.completion import Snippet
from coder.model.checkpoint.infilling_tokens import open_tokenizer
from coder.train.packed_rows import Ids
from data.pack.example import ChatExample, HoleExample
from data.pack.layout import MOST_CHAT_TOKENS, Layout
from data.pack.settings import ExampleKind
from tests.tiny import write_tiny_tokenizer
from tests.train.infilling_models import family, special_tokens

ROW = 900
PLAIN = HoleExample(ExampleKind.INFILL, ("import os\nx = ", "\ny = 2\n"), ("1",), 10, 100, 100)


def ids(tokens: Ids) -> list[int]:
    return [int(token) for token in tokens]


def test_the_prefix_ends_at_the_split_and_the_middle_begins_there(layout: Layout):
    document = layout.document(PLAIN, ROW)
    tokens, encode = layout.tokens, layout.tokenizer.encode
    assert document is not None
    assert ids(document.context) == [
        *(tokens.prefix, *encode("import os\n")),
        *(tokens.suffix, *encode("y = 2\n"), tokens.middle),
    ]
    # The line ends behind the hole, so its line break is the middle's end.
    assert ids(document.middle) == [*encode("x = "), *encode("1\n"), tokens.end]
    assert not document.instructed


def test_several_holes_are_answered_in_one_stream(layout: Layout):
    document = layout.document(replace(PLAIN, texts=("a(", ", ", ")\n"), answers=("1", "2"), split=2), ROW)
    tokens, encode = layout.tokens, layout.tokenizer.encode
    assert document is not None
    assert ids(document.context) == [
        *(tokens.prefix, *encode("a("), tokens.suffix, *encode(", "), tokens.hole, *encode(")\n"), tokens.middle)
    ]
    assert ids(document.middle) == [*encode("1"), tokens.hole, *encode("2"), tokens.end]


def test_other_files_come_first_in_the_bases_own_form(layout: Layout):
    example = replace(PLAIN, path="b.py", snippets=(Snippet("a.py", "z = 1"),), repository="r")
    document = layout.document(example, ROW)
    tokens, encode = layout.tokens, layout.tokenizer.encode
    assert document is not None
    header = [tokens.repository, *encode("r"), tokens.file, *encode("a.py\n"), *encode("z = 1\n")]
    header += [tokens.file, *encode("b.py\n")]
    assert ids(document.context)[: len(header) + 1] == [*header, tokens.prefix]


def test_a_question_is_in_the_chat_template_and_marked(layout: Layout):
    document = layout.document(ChatExample("be brief", "what?", "```", "x"), ROW)
    tokens, encode = layout.tokens, layout.tokenizer.encode
    assert document is not None and document.instructed
    assert ids(document.context) == [
        *(tokens.turn_start, *encode("system\nbe brief"), tokens.turn_end, *encode("\n")),
        *(tokens.turn_start, *encode("user\nwhat?"), tokens.turn_end, *encode("\n")),
        *(tokens.turn_start, *encode("assistant\n```")),
    ]
    assert ids(document.middle) == [*encode("x"), tokens.turn_end]
    long = layout.document(ChatExample("", "", "", "word " * 300), ROW)
    assert long is not None
    assert len(long.middle) == MOST_CHAT_TOKENS and tokens.turn_end not in ids(long.middle)


def test_brackets_that_an_answer_stands_in_for_are_in_the_middle(layout: Layout):
    decode = layout.tokenizer.decode
    for takes, suffix, middle in ((True, "x\n", "1, 2))\n"), (False, "))\nx\n", "1, 2")):
        example = HoleExample(ExampleKind.INFILL, ("f(g(", "))\nx\n"), ("1, 2",), 4, 100, 100, takes)
        document = layout.document(example, ROW)
        assert document is not None
        assert decode(ids(document.context)) == f"f(g({suffix}"
        assert decode(ids(document.middle)) == middle


def test_the_texts_are_cut_to_their_budgets_at_lines(layout: Layout):
    before = "".join(f"first_{number} = 1\n" for number in range(60))
    behind = "\n" + "".join(f"last_{number} = 1\n" for number in range(60))
    example = HoleExample(ExampleKind.INFILL, (f"{before}x = ", behind), ("1",), len(before), 60, 40)
    document = layout.document(example, 5000)
    assert document is not None
    context = ids(document.context)
    suffix = context.index(layout.tokens.suffix)
    assert 30 < suffix - 1 <= 60 and 10 < len(context) - suffix - 2 <= 40
    assert layout.tokenizer.decode(context[1:suffix]).startswith("first_")
    # Where what was written since alone is longer than the budget there is no such request.
    assert layout.document(replace(example, split=0), 5000) is None


def test_control_tokens_in_a_text_are_text(layout: Layout):
    text = "".join(layout.tokenizer.special)
    special = layout.tokenizer.special.values()
    example = HoleExample(
        ExampleKind.INFILL, (text, text), (text,), 0, 5000, 5000, False, text, (Snippet(text, text),), text
    )
    document = layout.document(example, 20_000)
    tokens = layout.tokens
    assert document is not None
    assert [token for token in ids(document.context) if token in special] == [
        *(tokens.repository, tokens.file, tokens.file, tokens.prefix, tokens.suffix, tokens.middle)
    ]
    assert [token for token in ids(document.middle) if token in special] == [tokens.end]


def test_what_does_not_fit_or_has_no_form_is_left_out(layout: Layout, tmp_path: Path):
    assert layout.document(PLAIN, 10) is None
    size = write_tiny_tokenizer(tmp_path / "tokenizer.json", special_tokens(family("DeepSeek-Coder")))
    other = Layout(*open_tokenizer(tmp_path / "tokenizer.json", size + 1), size + 1)
    assert other.document(ChatExample("", "", "", "x"), ROW) is None
    assert other.document(replace(PLAIN, texts=("a", "b", "c"), answers=("1", "2"), split=0), ROW) is None
    found = other.document(replace(PLAIN, snippets=(Snippet("a.py", "z"),)), ROW)
    assert found is not None and ids(found.context)[:2] == [other.tokens.begin, other.tokens.prefix]


@pytest.mark.parametrize("name", ["StarCoder2", "Granite Code", "Granite 4", "Qwen2.5-Coder"])
def test_every_family_has_the_same_order(tmp_path: Path, name: str):
    size = write_tiny_tokenizer(tmp_path / "tokenizer.json", special_tokens(family(name)))
    own = Layout(*open_tokenizer(tmp_path / "tokenizer.json", size + 1), size + 1)
    document = own.document(PLAIN, ROW)
    assert document is not None
    order = [token for token in ids(document.context) if token in own.tokenizer.special.values()]
    assert order == [own.tokens.prefix, own.tokens.suffix, own.tokens.middle]
