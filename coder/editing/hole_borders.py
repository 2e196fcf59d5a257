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


def fitted(answer: str, line_before: str, behind: str, line_behind: str) -> str:
    """Return the part of an answer that fits between the texts around its hole, without asking the model.

    Args:
        line_before: the hole's line up to it.
        behind: the text that follows the hole, up to the next one.
        line_behind: the rest of the hole's line, further holes left out.
    """
    if line_behind.strip():
        return inside_the_line(answer, behind.partition("\n")[0].rstrip(), closable(line_before, line_behind))
    return without_repeated_lines(answer, behind)


def possible_ends(answer: str, most_closed: int | None) -> list[str]:
    """Beginnings of an answer's first line that end with a word, the shortest first; none that closes more brackets
    around the hole than `closable` allows."""
    line = answer.partition("\n")[0]
    beginnings = (line[: word.end()] for word in WORD.finditer(line))
    return [text for text in beginnings if most_closed is None or unopened(text) <= most_closed][:MOST_ENDS]


def inside_the_line(answer: str, rest: str, most_closed: int | None) -> str:
    """The answer up to the place where it goes on with what is there already.

    That is `rest`, the text behind the hole, outside of any bracket of the answer, or a bracket that closes one more
    around the hole than `closable` allows.
    """
    depth = closed = 0
    for index, character in enumerate(answer):
        if depth == 0 and rest.strip() and answer.startswith(rest, index):
            return answer[:index]
        depth += BRACKETS.get(character, 0)
        if depth < 0:
            if closed == most_closed:
                return answer[:index]
            depth, closed = 0, closed + 1
    return answer


def closable(line_before: str, line_behind: str) -> int | None:
    """Return how many brackets around it an answer inside a line may close: those that the line opens before the hole
    and does not close behind it. None, for any number, where it closes none there."""
    closed = unopened(line_behind)
    return max(0, unclosed(line_before) - closed) if closed else None


def unopened(line: str) -> int:
    """Return the number of brackets that a line closes and does not open, within reach."""
    return -min(accumulate(_steps(line[:LONGEST_LINE]), initial=0))


def unclosed(line: str) -> int:
    """Return the number of brackets that a line opens and does not close, within reach."""
    nearest = [-step for step in _steps(line[-LONGEST_LINE:])]
    return -min(accumulate(reversed(nearest), initial=0))


def _steps(line: str) -> list[int]:
    return [BRACKETS[bracket.group()] for bracket in BRACKET.finditer(line)]


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
