"""What holds for every text and every place."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coder.postprocess.chain import beginning, is_enough, postprocess
from coder.postprocess.context import PostprocessContext

PIECES = st.sampled_from(
    [
        *[
            "\n",
            "\n    ",
            "\n  ",
            "\n\t",
            "\n\n",
            "\r\n",
            " ",
            "\t",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            ";",
            ",",
            ":",
            ".",
            "=",
        ],
        *['"', "'", '"""', "`", "\\", "# ", "// ", "/* ", "*/", "<|fim_end|>", "\ufffd", "->", "€", "🎈"],
        *["a", "b", "return ", "else", "def f", "x = 1", "f(x)", "end", "print(a)", "0, ", "aa aa aa aa "],
    ]
)
TEXTS = st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=30)
CODE = st.lists(PIECES, max_size=20).map("".join)


@st.composite
def contexts(draw: st.DrawFn) -> PostprocessContext:
    closers = draw(st.text(")]} ", max_size=3))
    return PostprocessContext(
        draw(CODE),
        closers + draw(CODE),
        draw(st.sampled_from(["python", "javascript", "go", "rust", "c", "lua", "plaintext"])),
        draw(st.sampled_from(["line", "block"])),
        draw(st.sampled_from(["end", "length", "deadline"])),
        draw(st.sampled_from([0, len(closers)])),
    )


def without_layout(text: str) -> str:
    return re.sub(r"\s", "", text)


@settings(max_examples=250)
@given(TEXTS, contexts())
def test_what_is_shown_is_what_the_model_wrote_first(text: str, context: PostprocessContext):
    shown = postprocess(text, context)
    if shown is None:
        return
    # All that may be added is brackets: those that the text leaves open, or that it stands in for.
    written, kept = without_layout(text), without_layout(shown)
    common = next((index for index, (a, b) in enumerate(zip(written, kept, strict=False)) if a != b), len(kept))
    common = min(common, len(written))
    assert set(kept[common:]) <= set(")]}")


@settings(max_examples=250)
@example(';\n\n("', PostprocessContext("", "", "python", "block"))
@example("/* (*/", PostprocessContext("", "]", "javascript", "line", replaces=1))
@example("}", PostprocessContext("{", "]]", "python", "line", replaces=2))
@given(TEXTS, contexts())
def test_a_second_time_changes_nothing(text: str, context: PostprocessContext):
    shown = postprocess(text, context)
    if shown is not None:
        assert postprocess(shown, replace(context, finish_reason="deadline")) == shown


@given(TEXTS, contexts())
def test_what_is_shown_can_be_seen_and_fits_its_place(text: str, context: PostprocessContext):
    shown = postprocess(text, context)
    if shown is not None:
        assert shown.strip()
        assert "\ufffd" not in shown
        if context.mode == "line":
            assert not re.search(r"[\r\n]", shown)


@given(TEXTS, contexts())
def test_line_breaks_are_the_buffers(text: str, context: PostprocessContext):
    shown = postprocess(text, context)
    if shown is not None and "\r\n" in (breaks := re.findall(r"\r\n|\r|\n", context.prefix + context.suffix))[:1]:
        assert len(re.findall(r"\r|\n", shown)) == 2 * shown.count("\r\n"), breaks


LINES = st.lists(PIECES, max_size=5).map("".join)


@settings(max_examples=400)
@example("[,)\n", PostprocessContext("", "", "lua"), 4, "")
@given(st.lists(LINES, max_size=8).map("\n".join), contexts(), st.integers(0, 200), st.sampled_from(["", "    "]))
def test_what_is_told_while_it_is_written_stays(text: str, context: PostprocessContext, length: int, hidden: str):
    context = replace(context, prefix=context.prefix.rstrip(" \t") + hidden, hidden=hidden)
    told = beginning(text[:length], context)
    assert (postprocess(text, context) or "").startswith(told)


def test_a_function_is_told_while_it_is_written():
    context = PostprocessContext("def f(a):\n    ", "\n", "python", hidden="    ")
    assert beginning("    b = a\n    retu", context) == "b = a"
    assert beginning("    b = a\n    return b\n", context) == "b = a\n    return b"


@pytest.mark.parametrize(
    ("text", "prefix", "mode", "over"),
    [
        ("1 + ", "x = ", "line", False),
        ("1 + 2\n", "x = ", "line", True),
        ("\n    return 1\n", "def f():", "block", False),
        ("\n    return 1\n\n\ndef ", "def f():", "block", True),
        ("return 1\nx", "def f():\n    ", "block", False),
        ("return 1\nx =", "def f():\n    ", "block", True),
        ("if a:\n        b()\n    el", "def f():\n    ", "block", False),
        ("if a:\n        b()\n    else:", "def f():\n    ", "block", False),
    ],
)
def test_when_enough_is_written(text, prefix, mode, over):
    assert is_enough(text, PostprocessContext(prefix, "\n", "python", mode)) == over


@pytest.mark.parametrize(
    "answer",
    [
        '    if not values:\n        raise ValueError("the variance of no values is undefined")',
        "    found = {\n        'a': [1, 2],\n        'b': (3, 4),\n    }\n    return found",
        '    text = """one\n    two"""\n    return call(\n        text,\n        values[0],\n    )',
        "    for value in values:\n        # what a comment (says\n        print('(', value)\n    return None",
    ],
)
def test_no_beginning_of_a_whole_answer_is_enough(answer: str):
    context = PostprocessContext("def variance(values):\n", "\n\n\nx = 1\n", "python", "block")
    assert postprocess(answer, context) == answer
    assert not [answer[:length] for length in range(len(answer) + 1) if is_enough(answer[:length], context)]
