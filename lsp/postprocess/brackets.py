"""Brackets are closed once: by the text or by what is right of the cursor, not by both."""

from __future__ import annotations

from lsp.postprocess.context import PostprocessContext
from lsp.postprocess.lexing import CLOSERS, PAIRS, scan, surroundings


def brackets(text: str, context: PostprocessContext) -> str | None:
    """The text up to the first closing bracket that is not wanted: nobody opened it, or the code behind closes it."""
    around = surroundings(context)
    wanted = list(around.wanted_closers)
    opened: list[str] = []
    for index, bracket in scan(text, context.language, around.inside).brackets:
        if bracket not in CLOSERS:
            opened.append(PAIRS[bracket])
        elif (opened.pop() if opened else wanted.pop(0) if wanted else None) != bracket:
            return text[:index]
    return text
