"""A single-line completion ends with the line."""

from __future__ import annotations

from coder.postprocess.context import PostprocessContext


def line(text: str, context: PostprocessContext) -> str | None:
    """The first line of the text, where a line is wanted."""
    return text.partition("\n")[0] if context.mode == "line" else text
