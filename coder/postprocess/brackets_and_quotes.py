"""Brackets and quotes are closed once: by the text or by what is right of the cursor, not by both or neither."""

from __future__ import annotations

import re
from collections.abc import Sequence

from coder.postprocess.context import PostprocessContext, SyntaxAtCursor, surroundings
from coder.syntax.languages import CLOSERS, PAIRS, Scan, scan

UNFINISHED = re.compile(
    r"(?:\s|[,.+\-*/%=<>&|^~!?:@\\]|(?<!\w)(?:and|as|await|else|for|from|if|in|is|lambda|new|not|or|return|yield))+\Z"
)
"""Text that cannot stand right before a closing bracket: operators, and words that something has to follow."""


def quotes(text: str, context: PostprocessContext) -> str | None:
    """The text up to the end of the cursor's string or comment, where the text behind has that end already."""
    around = surroundings(context)
    if around.inside is None or not around.ends_behind:
        return text
    end = around.inside.end_in(text)
    return text if end is None else text[:end].removesuffix(around.inside.end)


def brackets(text: str, context: PostprocessContext) -> str | None:
    """The text up to the first closing bracket that is not wanted: nobody opened it, or the code behind closes it.

    Where the text opens as many instead (`) + f(` between two brackets) all of it stays.
    """
    around = surroundings(context)
    found = scan(text, context.language, around.inside).brackets
    if _fits([bracket for _, bracket in found], around):
        return text
    return up_to_unwanted_bracket(text, context)


def up_to_unwanted_bracket(text: str, context: PostprocessContext) -> str:
    """The text up to the first closing bracket that neither it nor the code before it opened, or that is closed
    behind."""
    around = surroundings(context)
    wanted = list(around.wanted_closers)
    opened: list[str] = []
    for index, bracket in scan(text, context.language, around.inside).brackets:
        if bracket not in CLOSERS:
            opened.append(PAIRS[bracket])
        elif (opened.pop() if opened else wanted.pop(0) if wanted else None) != bracket:
            return text[:index]
    return text


def replaced_end(text: str, context: PostprocessContext) -> str | None:
    """The text up to the end of the line on which it has closed all brackets that it stands in for: the statement is
    finished there, and what the model writes on is another one."""
    missing = sum(character in CLOSERS for character in context.replaced)
    if not missing:
        return text
    found = scan(text, context.language, surroundings(context).inside)
    line_breaks = ((line_break.start(), line_break.group()) for line_break in re.finditer("\n", text))
    opened = closed = 0
    for index, character in sorted([*found.brackets, *line_breaks]):
        if character in CLOSERS:
            opened, closed = max(0, opened - 1), closed + (not opened)
        elif character != "\n":
            opened += 1
        elif closed >= missing and not opened and not found.in_literal(index):
            return text[:index]
    return text


def unclosed(text: str, context: PostprocessContext) -> str | None:
    """The text with the brackets closed that it leaves open, behind its last whole expression; without the statement
    that opens them where it has lines before that.

    A bracket that the code behind closes stays open, and so does all of a text that ends in a string or a comment.
    """
    around = surroundings(context)
    found = scan(text, context.language, around.inside)
    opened = opened_in(text, found)
    missing = len(opened) + len(around.open_before) - len(found.unopened) - len(around.closed_behind)
    if not opened or missing <= 0 or (found.inside is not None and found.inside.end == "\n"):
        return text
    first = opened[-missing:][0] if missing < len(opened) else opened[0]
    if found.inside is not None or _is_cut_off(text, context):
        before, line_break, _ = text[: first + 1].rpartition("\n")
        if line_break and before.strip():
            return before
    if found.inside is not None:
        return text
    closed = UNFINISHED.sub("", text)
    closed = closed if len(closed) > opened[-1] else text.rstrip()
    lines = context.completed_lines(text)
    for index in reversed(opened[max(0, len(opened) - missing) :]):
        line = text.count("\n", 0, index)
        own_line = text[index + 1 :].partition("\n")[0].strip() == "" and "\n" in closed[index + 1 :]
        indentation = lines[line][: len(lines[line]) - len(lines[line].lstrip())]
        closed += (f"\n{indentation}" if own_line else "") + PAIRS[text[index]]
    return closed


def replaced_brackets(text: str, context: PostprocessContext) -> str | None:
    """The text with those of the replaced brackets at its end that were cut off with the rest, behind its last whole
    item; None where they would end up in a string or a comment, be escaped, or close what the text has opened, or where
    it closes others."""
    closers = [index for index, character in enumerate(context.replaced) if character in CLOSERS]
    around, stripped = surroundings(context), text.rstrip()
    found = scan(stripped, context.language, around.inside)
    wanted, closed = around.wanted_closers, len(found.unopened)
    missing = min(len(closers), len(wanted) - closed)
    if missing <= 0:
        return text
    if found.inside or found.unclosed or stripped.endswith("\\") or tuple(found.unopened) != wanted[:closed]:
        return None
    items = _whole_items(stripped, found)
    return items + context.replaced[closers[-missing] :].rstrip() if items.strip() else None


def opened_in(text: str, found: Scan) -> list[int]:
    """Return the places where a text opens brackets that it does not close, in order."""
    opened: list[int] = []
    for index, bracket in found.brackets:
        if bracket not in CLOSERS:
            opened.append(index)
        elif opened:
            opened.pop()
    return opened


def _whole_items(text: str, found: Scan) -> str:
    """The text without the last one of its items, between commas, if something has yet to follow there."""
    end = UNFINISHED.search(text)
    if end is None or found.in_literal(end.start()):
        return text
    brackets, depth = dict(found.brackets), 0
    for index in range(len(text) - 1, -1, -1):
        if found.in_literal(index):
            continue
        if index in brackets:
            depth += 1 if brackets[index] in CLOSERS else -1
        elif text[index] == "," and not depth:
            return text[:index]
    return UNFINISHED.sub("", text)


def _is_cut_off(text: str, context: PostprocessContext) -> bool:
    """Return whether the text ends in the middle of something, for want of tokens or time."""
    return context.finish_reason in ("length", "deadline") and UNFINISHED.search(text.rstrip()) is not None


def _fits(written: Sequence[str], around: SyntaxAtCursor) -> bool:
    """Return whether everything is closed, once and in order, with these brackets between what is before and behind."""
    opened = list(reversed(around.open_before))
    for bracket in written:
        if bracket not in CLOSERS:
            opened.append(PAIRS[bracket])
        elif not opened or opened.pop() != bracket:
            return False
    return tuple(reversed(opened)) == around.closed_behind
