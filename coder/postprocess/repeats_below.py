"""A completion that runs into the code below it."""

from __future__ import annotations

from coder.postprocess.context import PostprocessContext, completed_lines, lines_below


def repeats_below(text: str, context: PostprocessContext) -> str | None:
    """The text up to the line from which on it is the code below, to its end or for two lines at least.

    Lines are equal with their indentation: the `end` of an inner block is not the outer one's.
    """
    below = lines_below(context)
    lines = completed_lines(text, context)
    for index, line in enumerate(lines):
        if line.strip() and _runs_into(lines[index:], below):
            return "\n".join(text.split("\n")[:index]) if index else None
    return text


def _runs_into(lines: list[str], below: list[str]) -> bool:
    written = [line for line in lines if line.strip()]
    same = 0
    while same < min(len(written), len(below)) and written[same] == below[same]:
        same += 1
    has_letter = any(character.isalpha() for line in written[:same] for character in line)
    return has_letter and (same == len(written) or same >= 2)
