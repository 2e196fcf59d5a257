"""From an old text to a new one in the smallest replacements: what an editor applies and a person reads."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher, unified_diff

from coder.api.text_requests import Change

MOST_PAIRS = 1_000_000
"""Equal pieces of an old and a new text that are compared with each other. Texts with more, long rows of the same few
words, are replaced from the first place where they differ to the last."""

WORDS = re.compile(r"\w+|\s+|[^\w\s]")


def changes(old: str, new: str) -> tuple[Change, ...]:
    """The replacements that turn `old` into `new`, in order and apart from each other: lines that differ, and in them
    words, numbers and marks that differ."""
    found: list[Change] = []
    for start, end, lines in _replacements(old.splitlines(keepends=True), new.splitlines(keepends=True)):
        within = _replacements(WORDS.findall(old[start:end]), WORDS.findall(lines))
        found.extend(Change(start + first, start + last, text) for first, last, text in within)
    return tuple(found)


def apply_changes(text: str, changes: Sequence[Change]) -> str:
    """The text after the changes, which are in order and do not overlap."""
    parts, position = [], 0
    for change in changes:
        parts += [text[position : change.start], change.text]
        position = change.end
    return "".join([*parts, text[position:]])


def diff(old: str, new: str, name: str) -> list[str]:
    """A unified diff, line by line, without line breaks."""
    return list(unified_diff(old.split("\n"), new.split("\n"), name, name, lineterm=""))


def hunks(old: str, new: str) -> int:
    """Return the number of runs of lines that differ."""
    return sum(1 for _ in _differing_lines(old.split("\n"), new.split("\n")))


def lost_rows(old: str, new: str) -> frozenset[int]:
    """Numbers of the old text's lines, from 0, that the new text does not have; lines that only moved are there."""
    before, after = old.split("\n"), new.split("\n")
    gone: list[int] = []
    added: Counter[str] = Counter()
    for first, last, new_first, new_last in _differing_lines(before, after):
        gone += range(first, last)
        added.update(line.strip() for line in after[new_first:new_last])
    found: set[int] = set()
    for row in gone:
        line = before[row].strip()
        if added[line] > 0:
            added[line] -= 1
        elif line:
            found.add(row)
    return frozenset(found)


def with_line_breaks(text: str, new: str) -> str:
    """A text that comes of `text` with line feeds alone, with the breaks of `text`: lines that are as they were keep
    their own, the others take the one that most lines have."""
    if "\r\n" not in text:
        return new
    lines = text.split("\n")
    before, after = [line.removesuffix("\r") for line in lines], new.split("\n")
    ends = [line[len(bare) :] for line, bare in zip(lines, before, strict=True)]
    usual = ends[-1] = Counter(ends[:-1]).most_common(1)[0][0]
    row = 0
    new_ends: list[str] = []
    for first, last, new_first, new_last in [*_differing_lines(before, after), (len(before),) * 2 + (len(after),) * 2]:
        new_ends += ends[row:first] + [usual] * (new_last - new_first)
        row = last
    new_ends[-1:] = [""] if new_ends else []
    return "\n".join(line + end for line, end in zip(after, new_ends, strict=True))


def with_old_blanks(old: str, new: str) -> str:
    """The new text, in which lines that differ in nothing but the blanks at their ends are as they were."""
    before, after = old.split("\n"), new.split("\n")
    bare = [[line.rstrip() for line in lines] for lines in (before, after)]
    lines: list[str] = []
    row = 0
    for first, last, new_first, new_last in _differing_lines(*bare):
        lines += before[row:first] + after[new_first:new_last]
        row = last
    return "\n".join(lines + before[row:])


def _differing_lines(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """The runs of lines that differ: from which to which in the old text, and in the new one."""
    head = _equal(old, new)
    tail = _equal(old[head:][::-1], new[head:][::-1])
    for first, last, new_first, new_last in _differing(old[head : len(old) - tail], new[head : len(new) - tail]):
        if first < last or new_first < new_last:
            yield head + first, head + last, head + new_first, head + new_last


def _replacements(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Yield the places where pieces differ, in characters of the old text, and the new text there."""
    head = _equal(old, new)
    tail = _equal(old[head:][::-1], new[head:][::-1])
    old_end, new_end = len(old) - tail, len(new) - tail
    starts = [0]
    for piece in old:
        starts.append(starts[-1] + len(piece))
    for first, last, new_first, new_last in _differing(old[head:old_end], new[head:new_end]):
        yield starts[head + first], starts[head + last], "".join(new[head + new_first : head + new_last])


def _equal(old: Sequence[str], new: Sequence[str]) -> int:
    """Return the number of pieces that the two begin with alike."""
    return next((count for count, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))


def _differing(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Yield the ranges in which the pieces differ: in the old ones, and in the new ones."""
    of_old, of_new = Counter(old), Counter(new)
    if sum(count * of_new[piece] for piece, count in of_old.items()) > MOST_PAIRS:
        yield 0, len(old), 0, len(new)
        return
    for kind, *place in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            first, last, new_first, new_last = place
            yield first, last, new_first, new_last
