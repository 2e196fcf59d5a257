"""The closing brackets that a completion stands in for are in it."""

from __future__ import annotations

from coder.postprocess.context import PostprocessContext
from coder.postprocess.surroundings import surroundings
from coder.syntax.lexing import CLOSERS, scan


def replaced_brackets(text: str, context: PostprocessContext) -> str | None:
    """The text with those of the replaced brackets at its end that were cut off with the rest; None where they would
    end up in a string or a comment, be escaped, or close what the text has opened."""
    closers = [index for index, character in enumerate(context.replaced) if character in CLOSERS]
    stripped = text.rstrip()
    found = scan(stripped, context.language, surroundings(context).inside)
    missing = len(closers) - len(found.unopened)
    if missing <= 0:
        return text
    if found.inside or found.unclosed or stripped.endswith("\\"):
        return None
    return stripped + context.replaced[closers[-missing] :].rstrip()
