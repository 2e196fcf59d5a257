"""The post-processing of the model's text before anyone sees it: small pure filters, one after the other.

Every door's answers go through here (`coder.generation.fitting`), unless a request wants the raw text.
"""

from __future__ import annotations

import re
from dataclasses import replace

from coder.postprocess.brackets_and_quotes import (
    brackets,
    opened_in,
    quotes,
    replaced_brackets,
    unclosed,
    up_to_unwanted_bracket,
)
from coder.postprocess.context import PostprocessContext, surroundings
from coder.postprocess.limits import blank, cut_off, line, scope, special_tokens
from coder.postprocess.repeats import before_loop, loops, may_repeat_above, repeats_above, repeats_below, suffix_overlap
from coder.postprocess.whitespace import (
    from_the_cursor,
    indentation,
    indentation_step,
    line_break_of,
    trailing_whitespace,
    unix_line_breaks,
)
from coder.syntax.lexing import scan

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
"""In their order. Each takes the text and its place, with line feeds alone, and returns the text that is left of it, or
None when nothing is worth showing."""

LAST_WORD = re.compile(r"\w+\Z")
SOON_REPEATED = 2


def postprocess(completion_text: str, context: PostprocessContext) -> str | None:
    """The part of a completion to show at the cursor; None for nothing.

    What one filter leaves may be another's business, so they go round until nothing changes. The result is never
    longer than the model's text but for the indentation, the line breaks, the brackets that it leaves open, and those
    that it stands in for.
    """
    unix = _with_line_feeds(context)
    text = from_the_cursor(unix_line_breaks(completion_text), unix)
    text = text and cut_off(text, unix)
    text = text and _filtered(text, unix)
    if text and unix.mode == "block":
        text = unclosed(text, unix)
        text = text and _filtered(text, unix)  # a statement left out may leave blank lines behind
    text = text and replaced_brackets(text, unix)
    return text.replace("\n", line_break_of(context.prefix + context.suffix)) if text else None


def is_enough(text: str, context: PostprocessContext) -> bool:
    """Return whether a text that is being written has gone past the end of what will be shown of it.

    A word at its end may become another one yet, so it is not looked at.
    """
    if context.mode == "line":
        return "\n" in text
    settled = LAST_WORD.sub("", text)
    if "\n" not in settled:
        return False
    # Without `unclosed`, which leaves out a statement whose brackets are open: here they may be closed yet.
    unix = _with_line_feeds(context)
    begun = from_the_cursor(unix_line_breaks(settled), unix)
    shown = begun and _filtered(begun, replace(unix, finish_reason="end"))
    return bool(shown) and shown.count("\n") < settled.rstrip().count("\n")


def beginning(text: str, context: PostprocessContext) -> str:
    """The part of a text that is being written which stays, whatever comes behind it: whole lines up to where one of
    the filters could find fault later."""
    may_be_narrower = indentation_step(context) == "\t" and "\n " in text
    if context.mode == "line" or context.replaces or context.line_behind.strip() or may_be_narrower:
        return ""  # the rest of the line, or the text's narrowest indentation, decides when all of it is there
    unix = _with_line_feeds(context)
    lines = from_the_cursor(unix_line_breaks(text), unix) or ""
    lines, line_break, _ = lines.rpartition("\n")
    lines = before_loop(lines, SOON_REPEATED)
    found = scan(lines, unix.language, surroundings(unix).inside)
    if opened := opened_in(lines, found):
        lines = lines[: opened[0] + 1].rpartition("\n")[0]
    lines = up_to_unwanted_bracket(lines, unix)
    if not line_break or may_repeat_above(lines, unix):
        return ""
    shown = _filtered(lines, replace(unix, finish_reason="end")) or ""
    return shown.replace("\n", line_break_of(context.prefix + context.suffix))


def _with_line_feeds(context: PostprocessContext) -> PostprocessContext:
    return replace(context, prefix=unix_line_breaks(context.prefix), suffix=unix_line_breaks(context.suffix))


def _filtered(text: str, context: PostprocessContext) -> str | None:
    """Return the text that the filters leave, applied until nothing changes."""
    before = ""
    while text != before:
        before = text
        for keep in FILTERS:
            left = keep(text, context)
            if left is None:
                return None
            text = left
    return text
