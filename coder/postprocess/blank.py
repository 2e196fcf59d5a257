"""A completion without a visible character is none."""

from __future__ import annotations

from coder.postprocess.context import PostprocessContext


def blank(text: str, context: PostprocessContext) -> str | None:
    """None for blanks and line breaks alone."""
    return text if text.strip() else None
