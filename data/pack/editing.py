"""Examples of edits, from two states of a text: rewriting a region, and the next edit after some others."""

from __future__ import annotations

import random
from dataclasses import dataclass
from difflib import SequenceMatcher

from coder.completion import CompletionRequest, Rewritten
from data.pack.changed_texts import ChangedText
from data.pack.example import Example, RecentEdit
from data.pack.settings import Kind
from data.pack.text import SourceText

LONGEST_REGION = 1200
"""Characters, of the old text and of the new."""

MOST_MARGIN = 3
"""Lines that do not change but belong to the region all the same."""

MOST_RECENT = 3
MOST_LINES = 4000
"""Of a file whose states are compared."""


@dataclass(frozen=True)
class Hunk:
    """Lines `start` to `end` of the old text give way to lines `new_start` to `new_end` of the new one."""

    start: int
    end: int
    new_start: int
    new_end: int


def rewrite(source: SourceText, change: ChangedText, room: int, generator: random.Random) -> Example | None:
    """One of the changes, all others being done or not as they are in the old text."""
    return _example(source, change, room, generator, after_others=False)


def next_edit(source: SourceText, change: ChangedText, room: int, generator: random.Random) -> Example | None:
    """A change that follows from those before it, which the prompt begins with."""
    return _example(source, change, room, generator, after_others=True)


def hunks(old: list[str], new: list[str]) -> list[Hunk]:
    """What differs, line by line, in order."""
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [Hunk(*places) for tag, *places in matcher.get_opcodes() if tag != "equal"]


def _example(
    source: SourceText, change: ChangedText, room: int, generator: random.Random, after_others: bool
) -> Example | None:
    old, new = (text.splitlines(keepends=True) for text in (change.old, change.new))
    if max(len(old), len(new)) > MOST_LINES:
        return None
    changed = hunks(old, new)
    if len(changed) < 1 + after_others:
        return None
    chosen = generator.randrange(after_others, len(changed))
    hunk, done = changed[chosen], changed[:chosen] if after_others else []
    before, after = generator.randint(0, MOST_MARGIN), generator.randint(0, MOST_MARGIN)
    after_hunk = changed[chosen + 1].start if chosen + 1 < len(changed) else len(old)
    before_hunk = changed[chosen - 1].end if chosen else 0
    start, end = max(before_hunk, hunk.start - before), min(after_hunk, hunk.end + after)
    was = "".join(old[start:end])
    becomes = "".join([*old[start : hunk.start], *new[hunk.new_start : hunk.new_end], *old[hunk.end : end]])
    if max(len(was), len(becomes)) > LONGEST_REGION or not was.strip():
        return None
    above = "".join(new[: hunk.new_start - (hunk.start - start)] if after_others else old[:start])
    below = "".join(old[end:])
    if was.endswith("\n") and becomes.endswith("\n") and generator.random() < 0.7:
        was, becomes, below = was[:-1], becomes[:-1], f"\n{below}"
    recent = tuple(RecentEdit(*_lines(edit, old, new)) for edit in done[-generator.randint(1, MOST_RECENT) :])
    if any(len(edit.old) + len(edit.new) > LONGEST_REGION for edit in recent):
        return None
    instruction = f"{source.comment} {change.instruction}\n" if change.instruction and not after_others else ""
    left = max(0, room - len(was) - len(becomes) - sum(len(edit.old) + len(edit.new) for edit in recent))
    prefix, suffix = _shown(above, below, left, generator)
    request = CompletionRequest(
        prefix, suffix, path=source.path, replace_brackets=False, rewritten=Rewritten(was, instruction)
    )
    return Example(Kind.NEXT_EDIT if after_others else Kind.REWRITE, request, (becomes,), recent_edits=recent)


def _lines(hunk: Hunk, old: list[str], new: list[str]) -> tuple[str, str]:
    return "".join(old[hunk.start : hunk.end]), "".join(new[hunk.new_start : hunk.new_end])


def _shown(above: str, below: str, room: int, generator: random.Random) -> tuple[str, str]:
    """Whole lines of both, in as many characters as there is room for."""
    before = int(room * generator.uniform(0.3, 0.8))
    if len(above) > before:
        above = above[above.find("\n", len(above) - before) + 1 :] if before else ""
    if len(below) > room - before:
        below = below[: below.rfind("\n", 0, room - before) + 1]
    return above, below
