"""A string that is closed right of the cursor is closed once."""

from __future__ import annotations

from coder.postprocess.context import PostprocessContext
from coder.postprocess.surroundings import surroundings


def quotes(text: str, context: PostprocessContext) -> str | None:
    """The text up to the quote that ends the cursor's string, where the line has that quote already."""
    around = surroundings(context)
    if around.inside is None or not around.ends_behind:
        return text
    end = around.inside.end_in(text)
    return text if end is None else text[:end].removesuffix(around.inside.end)
