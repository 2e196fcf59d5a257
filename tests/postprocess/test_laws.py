"""What holds for every text and every place."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from coder.postprocess.chain import PostprocessContext, postprocess

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
    # All that may be added is what the completion stands in for, and brackets were there before.
    written, kept = without_layout(text), without_layout(shown)
    common = next((index for index, (a, b) in enumerate(zip(written, kept, strict=False)) if a != b), len(kept))
    common = min(common, len(written))
    assert without_layout(context.replaced).endswith(kept[common:])


@settings(max_examples=250)
@given(TEXTS, contexts())
def test_a_second_time_changes_nothing(text: str, context: PostprocessContext):
    shown = postprocess(text, context)
    if shown is not None:
        assert postprocess(shown, replace(context, finish_reason="end")) == shown


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
