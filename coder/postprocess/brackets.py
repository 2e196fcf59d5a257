"""Brackets are closed once: by the text or by what is right of the cursor, not by both."""

from __future__ import annotations

from collections.abc import Sequence

from coder.postprocess.context import PostprocessContext
from coder.postprocess.surroundings import Surroundings, surroundings
from coder.syntax.lexing import CLOSERS, PAIRS, scan


def brackets(text: str, context: PostprocessContext) -> str | None:
    """The text up to the first closing bracket that is not wanted: nobody opened it, or the code behind closes it.

    Where the text opens as many instead (`) + f(` between two brackets) all of it stays.
    """
    around = surroundings(context)
    found = scan(text, context.language, around.inside).brackets
    if _fits([bracket for _, bracket in found], around):
        return text
    wanted = list(around.wanted_closers)
    opened: list[str] = []
    for index, bracket in found:
        if bracket not in CLOSERS:
            opened.append(PAIRS[bracket])
        elif (opened.pop() if opened else wanted.pop(0) if wanted else None) != bracket:
            return text[:index]
    return text


def _fits(written: Sequence[str], around: Surroundings) -> bool:
    """Whether everything is closed, once and in order, with these brackets between what is before and behind."""
    opened = list(reversed(around.open_before))
    for bracket in written:
        if bracket not in CLOSERS:
            opened.append(PAIRS[bracket])
        elif not opened or opened.pop() != bracket:
            return False
    return tuple(reversed(opened)) == around.closed_behind
