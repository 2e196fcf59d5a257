"""From an old text to a new one in the smallest replacements: what an editor applies and a person reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher, unified_diff

from coder.edits import Change

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


def _replacements(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Where pieces differ, in characters of the old text, and the new text there."""
    starts = [0]
    for piece in old:
        starts.append(starts[-1] + len(piece))
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for kind, first, last, new_first, new_last in matcher.get_opcodes():
        if kind != "equal":
            yield starts[first], starts[last], "".join(new[new_first:new_last])
