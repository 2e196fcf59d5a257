"""A completion that goes on into what is right of the cursor."""

from __future__ import annotations

from coder.postprocess.context import PostprocessContext
from coder.postprocess.surroundings import surroundings
from coder.syntax.lexing import scan


def suffix_overlap(text: str, context: PostprocessContext) -> str | None:
    """The text without its end that the rest of the line begins with, the longest one; without the lines behind it.

    Words are not cut in two for it, and a bracket that closes one of the text's own is no overlap.
    """
    behind = context.line_behind.rstrip()
    first_line = text.partition("\n")[0].rstrip()
    if behind and first_line.endswith(behind) and _may_be_cut(first_line, len(behind), behind, context):
        return first_line[: -len(behind)]
    for length in range(min(len(text), len(behind)), 0, -1):
        if text.endswith(behind[:length]) and _may_be_cut(text, length, behind, context):
            return text[:-length]
    return text


def _may_be_cut(text: str, length: int, behind: str, context: PostprocessContext) -> bool:
    kept, overlap = text[:-length], text[-length:]
    cuts_word = length < len(behind) and _in_word(kept or context.line_before, overlap)
    if cuts_word or _in_word(overlap, behind[length:]):
        return False
    of_kept = scan(kept, context.language, surroundings(context).inside)
    return not (of_kept.unclosed and scan(overlap, context.language, of_kept.inside).unopened)


def _in_word(left: str, right: str) -> bool:
    """Whether there is no border of a word between the two."""
    return bool(left and right) and (left[-1] + right[0]).replace("_", "a").isalnum()
