"""What becomes of the model's text before anyone sees it: small pure filters, one after the other."""

from __future__ import annotations

from dataclasses import replace

from coder.postprocess.blank import blank
from coder.postprocess.brackets import brackets
from coder.postprocess.context import PostprocessContext
from coder.postprocess.cut_off import cut_off
from coder.postprocess.indentation import indentation
from coder.postprocess.line import line
from coder.postprocess.line_breaks import line_break_of, unix_line_breaks
from coder.postprocess.loops import loops
from coder.postprocess.quotes import quotes
from coder.postprocess.repeats_above import repeats_above
from coder.postprocess.repeats_below import repeats_below
from coder.postprocess.replaced_brackets import replaced_brackets
from coder.postprocess.scope import scope
from coder.postprocess.special_tokens import special_tokens
from coder.postprocess.suffix_overlap import suffix_overlap
from coder.postprocess.trailing_whitespace import trailing_whitespace

__all__ = ["FILTERS", "PostprocessContext", "postprocess"]

FILTERS = (
    special_tokens,
    loops,
    indentation,
    line,
    quotes,
    suffix_overlap,
    brackets,
    scope,
    repeats_below,
    repeats_above,
    trailing_whitespace,
    blank,
)
"""In their order. Each takes the text and what is around the cursor, with line feeds alone, and returns the text that
is left of it, or None when nothing is worth showing."""


def postprocess(completion_text: str, context: PostprocessContext) -> str | None:
    """What to show of a completion at the cursor; None for nothing.

    What one filter leaves may be another's business, so they go round until nothing changes. The result is never
    longer than the model's text but for the indentation, the line breaks, and the brackets that it stands in for.
    """
    line_break = line_break_of(context.prefix + context.suffix)
    unix = replace(context, prefix=unix_line_breaks(context.prefix), suffix=unix_line_breaks(context.suffix))
    text = cut_off(unix_line_breaks(completion_text), unix)
    before = None
    while text is not None and text != before:
        before = text
        text = _filtered(text, unix)
    text = text and replaced_brackets(text, unix)
    return text and text.replace("\n", line_break)


def _filtered(text: str, context: PostprocessContext) -> str | None:
    for keep in FILTERS:
        left = keep(text, context)
        if left is None:
            return None
        text = left
    return text
