"""A block that the token limit cut off ends with half a line."""

from __future__ import annotations

from coder.postprocess.context import PostprocessContext


def cut_off(text: str, context: PostprocessContext) -> str | None:
    """Whole lines of a block that was cut off by its length. What a deadline left is whole lines already, and a single
    line stays: half of it may be right."""
    if context.finish_reason != "length":
        return text
    lines, line_break, _ = text.rpartition("\n")
    return lines if line_break and lines.strip() else text
