"""An answer of several lines ends before the first of them that breaks the code around it."""

from __future__ import annotations

from functools import lru_cache

from coder.postprocess.context import PostprocessContext, code_around
from coder.syntax.soundness import is_sound

LINES_THAT_TELL = 3
"""Code that is broken without the answer and with so many of its lines is broken by something else."""


NEEDS_SEMICOLONS = ("c", "cpp", "java")
"""Languages with a grammar in which a statement without one breaks the code: the user may have it to write yet."""


def sound_lines(text: str, context: PostprocessContext) -> str | None:
    """The longest beginning of whole lines that leaves the code around the cursor sound.

    None where there is no such beginning although the code is sound without, unless the text was cut off. All of the
    text where the code is broken anyway.
    """
    if context.mode == "line":
        return text
    before, behind = code_around(context)

    def is_left_sound(part: str) -> bool | None:
        sound = _is_sound(before + part + behind, context.language)
        if sound is False and part and context.language in NEEDS_SEMICOLONS:
            return _is_sound(f"{before}{part};{behind}", context.language)
        return sound

    if is_left_sound(text) is not False:
        return text
    lines = text.split("\n")
    beginnings = ["\n".join(lines[:count]) for count in range(len(lines))]
    if not any(map(is_left_sound, beginnings[: LINES_THAT_TELL + 1])):
        return text
    longest = next(filter(is_left_sound, reversed(beginnings)))
    return longest or (text if context.finish_reason in ("length", "deadline") else None)


@lru_cache(maxsize=64)
def _is_sound(text: str, language: str) -> bool | None:
    """`is_sound`, remembered: while an answer is written its first lines are asked about again and again."""
    return is_sound(text, language)
