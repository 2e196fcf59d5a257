"""Repetitions: of the text itself, in a loop, or of the code above, below or beside it."""

from __future__ import annotations

import re
from itertools import accumulate, chain, pairwise

from coder.postprocess.context import PostprocessContext, surroundings
from coder.syntax.languages import CLOSERS, Literal, scan, without_foreign_closers

LINES_OF_A_CYCLE = 6
TIMES = 3
"""So many times the same lines, with letters in them, one after the other are a loop."""

IN_A_LINE = re.compile(r"(?=\S*[^\W\d_])(\S.{0,59}?)\1{3,}")
"""Something with a letter in it, four times or more."""

EQUAL_BUT_FOR_NUMBERS = re.compile(r"(?=\S*[^\W\d_])(\S.{0,59}?)\1{5,}")
"""The same after each number was replaced by one and the same: six times, so that four calls in a row are none."""

NESTED = re.compile(r"([(\[{][^()\[\]{}]{2,40}?)\1{3,}")
"""The same behind one opening bracket after the other, four times or more."""

LONGER = 2
"""So many times as long as a line that stutters, the copy of one may be."""

RULER = re.compile(r"(\S)\1{99,}|(\S.{1,39}?)\2{49,}")
"""Something without a letter over and over; a ruler in a comment or a row of zeros is shorter."""

COUNTED = 16
"""So many whole numbers in one line, each one more than that before it, are a model that counts on and on."""

NUMBER = re.compile(r"\d{1,6}")
WHOLE_NUMBER = re.compile(r"\b\d+\b")

MOST_LINES_ABOVE = 20


def loops(text: str, context: PostprocessContext) -> str | None:
    """The text up to where it begins to go round: before a line that stutters, behind the first of equal lines; of
    entries on the line of a bracket that is open at the cursor, those before one that came already."""
    left = before_loop(text)
    return _different_entries(text.partition("\n")[0]) if not left and surroundings(context).open_before else left


def before_loop(text: str, times: int = TIMES, shown: str = "") -> str:
    """The text up to the first line that stutters, or behind the first of lines that come so many times.

    Args:
        shown: what the text may repeat, such as the rows of a table: a line as long as one that stutters there, lines
            as many times more as they come there.
    """
    lines, known = text.split("\n"), shown.split("\n")
    bare, known_bare = ([line.strip() for line in each] for each in (lines, known))
    for index, line in enumerate(lines):
        if _stutters(line) and not any(len(line) <= LONGER * len(other) and _stutters(other) for other in known):
            return "\n".join(lines[:index])
        for length in range(1, LINES_OF_A_CYCLE + 1):
            if _cycles(bare, index, length, times) and not _is_copied(bare, index, length, times, known_bare):
                return "\n".join(lines[: index + length])
    return text


def repeats_above(text: str, context: PostprocessContext) -> str | None:
    """None where the first lines of the text, as many as you like, are the last ones above it.

    A line without a letter (a bracket, a row of zeros) may well come twice.
    """
    written, above = _written_and_above(text, context)
    for count in range(1, min(len(written), len(above)) + 1):
        if written[:count] == above[:count][::-1] and any(character.isalpha() for character in "".join(above[:count])):
            return None
    return text


def may_repeat_above(text: str, context: PostprocessContext) -> bool:
    """Return whether all lines of a text that is being written are some above it: those that follow there may come
    yet."""
    written, above = _written_and_above(text, context)
    counts = range(len(written), len(above) + 1)
    return any(written == above[:count][::-1][: len(written)] for count in counts)


def repeats_below(text: str, context: PostprocessContext) -> str | None:
    """The text up to the line from which on it is the code below, to its end or for two lines at least.

    Lines are equal with their indentation: the `end` of an inner block is not the outer one's.
    """
    below = context.lines_below()
    lines = context.completed_lines(text)
    for index, line in enumerate(lines):
        if line.strip() and _runs_into(lines[index:], below):
            return "\n".join(text.split("\n")[:index]) if index else None
    return text


def repeats_behind(text: str, context: PostprocessContext) -> str | None:
    """The text of a part of a line up to the first of its entries that stands behind the cursor too, in the same
    brackets; None where that is the first one."""
    if context.mode != "line" or not context.line_behind.lstrip().startswith(","):
        return text
    inside = surroundings(context).inside
    written, behind = (_entries(part, context.language, inside) for part in (text, context.line_behind))
    known = {entry.strip() for entry in behind if any(character.isalpha() for character in entry)}
    repeated = next((index for index, entry in enumerate(written) if entry.strip() in known), None)
    return text if repeated is None else ",".join(written[:repeated]) or None


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


def _different_entries(line: str) -> str:
    """The entries of a line before one that came already, whatever the numbers in them, that stutters, or from which on
    they only count; nothing for a single one."""
    kept: dict[str, str] = {}
    counts = _in_a_row(line) >= COUNTED
    for index, entry in enumerate(entries := line.split(",")):
        if (known := WHOLE_NUMBER.sub("0", entry.strip())) in kept or _stutters(entry):
            break
        if counts and kept and _in_a_row(",".join(entries[index : index + 3])) >= 3:
            break
        kept[known] = entry
    return ",".join(kept.values()) if len(entries) > 1 else ""


def _entries(text: str, language: str, inside: Literal | None) -> list[str]:
    """The parts of a text between commas that are in no bracket of its own and no string, up to a bracket that it did
    not open."""
    text = without_foreign_closers(text, language, inside)
    found = scan(text, language, inside)
    depths, places, depth = dict(found.brackets), [-1], 0
    for index, character in enumerate(text):
        if index in depths:
            depth += -1 if character in CLOSERS else 1
        elif character == "," and not depth and not found.in_literal(index):
            places.append(index)
    return [text[start + 1 : end] for start, end in pairwise([*places, len(text)])]


def _stutters(line: str) -> bool:
    repeated = chain(IN_A_LINE.finditer(line), EQUAL_BUT_FOR_NUMBERS.finditer(WHOLE_NUMBER.sub("0", line)))
    has_letter = (re.search(r"[^\W\d_]", found.group(1)) for found in repeated)
    never_ends = RULER.search(line) or NESTED.search(line)
    return never_ends is not None or any(has_letter) or _in_a_row(line) >= COUNTED


def _in_a_row(line: str) -> int:
    """The most numbers of a line in a row, each one more than that before it."""
    numbers = [int(number) for number in NUMBER.findall(line)]
    in_a_row = accumulate(pairwise(numbers), lambda row, pair: row + 1 if pair[1] == pair[0] + 1 else 1, initial=1)
    return max(in_a_row)


def _cycles(lines: list[str], start: int, length: int, times: int) -> bool:
    """Return whether the `length` lines from `start`, which have a letter, come `times` times or more."""
    cycle = lines[start : start + length]
    return _times(lines, start, cycle) >= times and any(character.isalpha() for character in "".join(cycle))


def _is_copied(lines: list[str], start: int, length: int, times: int, known: list[str]) -> bool:
    """Return whether lines that come again and again do so in `known`, and not many times more often here."""
    cycle = lines[start : start + length]
    most = _most_times(known, cycle)
    return most >= times and _times(lines, start, cycle) < most + times


def _most_times(lines: list[str], cycle: list[str]) -> int:
    """The largest number of times that the cycle comes in a row."""
    index = most = 0
    while index < len(lines):
        times = _times(lines, index, cycle)
        most, index = max(most, times), index + max(1, times * len(cycle))
    return most


def _times(lines: list[str], start: int, cycle: list[str]) -> int:
    """The number of times that the cycle comes from `start` on."""
    times = 0
    while lines[start : start + len(cycle)] == cycle:
        start, times = start + len(cycle), times + 1
    return times


def _written_and_above(text: str, context: PostprocessContext) -> tuple[list[str], list[str]]:
    """The lines of the text, and those above them, the nearest first; blank ones left out."""
    before, *more = context.completed_lines(text)
    begins_with_line = text.partition("\n")[0].strip()
    written = [line.strip() for line in ([before, *more] if begins_with_line else more) if line.strip()]
    above = [line.strip() for line in context.lines_above()][:MOST_LINES_ABOVE]
    if not begins_with_line and not context.starts_line:
        above.insert(0, before.strip())
    return written, above


def _runs_into(lines: list[str], below: list[str]) -> bool:
    written = [line for line in lines if line.strip()]
    same = 0
    while same < min(len(written), len(below)) and written[same] == below[same]:
        same += 1
    has_letter = any(character.isalpha() for line in written[:same] for character in line)
    return has_letter and (same == len(written) or same >= 2)


def _may_be_cut(text: str, length: int, behind: str, context: PostprocessContext) -> bool:
    kept, overlap = text[:-length], text[-length:]
    cuts_word = length < len(behind) and in_word(kept or context.line_before, overlap)
    if cuts_word or in_word(overlap, behind[length:]):
        return False
    of_kept = scan(kept, context.language, surroundings(context).inside)
    return not (of_kept.unclosed and scan(overlap, context.language, of_kept.inside).unopened)


def in_word(left: str, right: str) -> bool:
    """Return whether there is no border of a word between the two."""
    return bool(left and right) and (left[-1] + right[0]).replace("_", "a").isalnum()
