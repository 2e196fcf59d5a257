"""The borders of a hole in a text: the blanks around it that the model writes, and the text that it repeats."""

from __future__ import annotations

import re
from itertools import accumulate

from coder.context.window import closing_brackets

WORD = re.compile(r"\w+|[^\w\s]")
BRACKET = re.compile(r"[()\[\]{}]")
BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}

LONGEST_LINE = 8000
"""Characters of a line that are looked at: a minified file is one line."""

MOST_ENDS = 12
"""Ends of an answer that are tried: a part of a line has rarely more words."""


def is_inside_line(suffix: str) -> bool:
    """Return whether a hole ends inside its line: something but blanks and closing brackets follows there."""
    return bool(suffix.partition("\n")[0].strip()) and not closing_brackets(suffix)


def blanks_before(prefix: str) -> str:
    """The blanks that a prefix ends with.

    A model writes them itself: they and the word behind them are often one token.
    """
    return prefix[len(prefix.rstrip(" \t")) :]


def without_blanks(answer: str, blanks: str) -> str:
    """An answer behind `blanks`, which the model was not shown."""
    return answer.removeprefix(blanks) if answer.startswith(blanks) else answer.lstrip(" \t")


def fitted(answer: str, behind: str, line_behind: str) -> str:
    """Return the part of an answer that fits between the texts around its hole, without asking the model.

    Args:
        behind: the text that follows the hole, up to the next one.
        line_behind: the rest of the hole's line, further holes left out.
    """
    if line_behind.strip():
        return inside_the_line(answer, behind.partition("\n")[0].rstrip(), closed_behind(line_behind))
    return without_repeated_lines(answer, behind)


def possible_ends(answer: str, closed: bool) -> list[str]:
    """Beginnings of an answer's first line that end with a word, the shortest first; none that closes a bracket which
    is `closed` behind the hole."""
    line = answer.partition("\n")[0]
    beginnings = (line[: word.end()] for word in WORD.finditer(line))
    return [beginning for beginning in beginnings if not (closed and closed_behind(beginning))][:MOST_ENDS]


def inside_the_line(answer: str, rest: str, closed: bool) -> str:
    """The answer up to the place where it goes on with what is there already.

    That is `rest`, the text behind the hole, outside of any bracket of the answer, or, if the bracket around the hole
    is `closed` behind it, a bracket that closes it.
    """
    depth = 0
    for index, character in enumerate(answer):
        if depth == 0 and rest.strip() and answer.startswith(rest, index):
            return answer[:index]
        depth += BRACKETS.get(character, 0)
        if depth < 0:
            if closed:
                return answer[:index]
            depth = 0
    return answer


def closed_behind(line: str) -> bool:
    """Return whether a line closes a bracket that it does not open, within reach."""
    found = BRACKET.finditer(line, 0, LONGEST_LINE)
    return any(depth < 0 for depth in accumulate(BRACKETS[bracket.group()] for bracket in found))


def without_repeated_lines(answer: str, behind: str) -> str:
    """The answer without its last lines where the text behind the hole begins with the same ones."""
    lines = answer.rstrip().split("\n")
    following = [line.rstrip() for line in behind.split("\n")]
    while following and not following[0]:
        del following[0]
    for count in range(1, min(len(lines), len(following) + 1)):
        last = [line.rstrip() for line in lines[-count:]]
        if last == following[:count] and re.search(r"\w", "".join(last)):
            return "\n".join(lines[:-count]).rstrip()
    return answer
