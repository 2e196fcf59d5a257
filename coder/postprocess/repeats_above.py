"""A completion that says again what stands above it."""

from __future__ import annotations

from coder.postprocess.context import PostprocessContext, completed_lines, lines_above

MOST_LINES = 20


def repeats_above(text: str, context: PostprocessContext) -> str | None:
    """None where the first lines of the text, as many as you like, are the last ones above it.

    A line without a letter (a bracket, a row of zeros) may well come twice.
    """
    before, *more = completed_lines(text, context)
    written = [line.strip() for line in ([before, *more] if text.partition("\n")[0].strip() else more) if line.strip()]
    above = [line.strip() for line in lines_above(context)][:MOST_LINES]
    if not text.partition("\n")[0].strip() and context.line_before.strip():
        above.insert(0, before.strip())
    for count in range(1, min(len(written), len(above)) + 1):
        if written[:count] == above[:count][::-1] and any(character.isalpha() for character in "".join(above[:count])):
            return None
    return text
