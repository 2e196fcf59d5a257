"""Examples of edits, from two states of a text: rewriting a region, and the next edit after some others."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from coder.api.completion import CompletionRequest, Rewritten
from data.pack.changed_texts import ChangedText
from data.pack.example import Example, RecentEdit
from data.pack.settings import Kind
from data.pack.text import SourceText

LONGEST_REGION = 1200
"""Characters, of the old text, of the new, and of all recent edits."""

WHOLE_FUNCTION = 0.6
"""How often the function is written anew in which something changed."""

LINE_BREAK_OUTSIDE = 0.7
"""How often a region ends before its last line break, as a selection often does."""

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


@dataclass(frozen=True)
class Region:
    """Lines that are written anew, and those around them."""

    above: list[str]
    was: list[str]
    becomes: list[str]
    below: list[str]


def rewrite(source: SourceText, change: ChangedText, room: int, generator: random.Random) -> Example | None:
    """A whole function that changed, or one of the places where it did, the others being as they were."""
    old, new = _lines_of(change)
    changed = hunks(old, new)
    if not changed:
        return None
    if change.function is not None and generator.random() < WHOLE_FUNCTION:
        start, end = (change.new.count("\n", 0, place) for place in (change.function.start, change.function.end))
        after = len(new) - end - 1
        region = Region(old[:start], old[start : len(old) - after], new[start : end + 1], old[len(old) - after :])
    else:
        region = _around(changed, generator.randrange(len(changed)), old, new, generator)
    instruction = f"{source.comment} {change.instruction}\n" if change.instruction else ""
    return _example(Kind.REWRITE, source, region, instruction, (), room, generator)


def next_edit(source: SourceText, change: ChangedText, room: int, generator: random.Random) -> Example | None:
    """A change that follows from those before it, which the prompt begins with."""
    old, new = _lines_of(change)
    changed = hunks(old, new)
    if len(changed) < 2:
        return None
    chosen = generator.randrange(1, len(changed))
    region = _around(changed, chosen, old, new, generator)
    done = changed[max(0, chosen - generator.randint(1, MOST_RECENT)) : chosen]
    recent = tuple(
        RecentEdit("".join(old[one.start : one.end]), "".join(new[one.new_start : one.new_end])) for one in done
    )
    # What was changed before has changed in the text above, too.
    above = new[: changed[chosen].new_start - (changed[chosen].start - len(region.above))]
    return _example(Kind.NEXT_EDIT, source, replace(region, above=above), "", recent, room, generator)


def hunks(old: list[str], new: list[str]) -> list[Hunk]:
    """What differs, line by line, in order; nothing for files that are too long to be compared."""
    if max(len(old), len(new)) > MOST_LINES:
        return []
    # Mostly little differs; what is the same at both ends need not be searched.
    shorter = min(len(old), len(new))
    head = next((index for index in range(shorter) if old[index] != new[index]), shorter)
    tail = next((index for index in range(shorter - head) if old[-1 - index] != new[-1 - index]), shorter - head)
    matcher = SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False)
    return [Hunk(*(head + place for place in places)) for tag, *places in matcher.get_opcodes() if tag != "equal"]


def _lines_of(change: ChangedText) -> tuple[list[str], list[str]]:
    return change.old.splitlines(keepends=True), change.new.splitlines(keepends=True)


def _around(changed: list[Hunk], chosen: int, old: list[str], new: list[str], generator: random.Random) -> Region:
    """A change with some lines around it that stay, but for those that change as well."""
    hunk = changed[chosen]
    first = changed[chosen - 1].end if chosen else 0
    last = changed[chosen + 1].start if chosen + 1 < len(changed) else len(old)
    start = max(first, hunk.start - generator.randint(0, MOST_MARGIN))
    end = min(last, hunk.end + generator.randint(0, MOST_MARGIN))
    becomes = [*old[start : hunk.start], *new[hunk.new_start : hunk.new_end], *old[hunk.end : end]]
    return Region(old[:start], old[start:end], becomes, old[end:])


def _example(
    kind: Kind,
    source: SourceText,
    region: Region,
    instruction: str,
    recent: tuple[RecentEdit, ...],
    room: int,
    generator: random.Random,
) -> Example | None:
    parts = region.above, region.was, region.becomes, region.below
    above, was, becomes, below = ("".join(lines) for lines in parts)
    edited = sum(len(edit.old) + len(edit.new) for edit in recent)
    if max(len(was), len(becomes), edited) > LONGEST_REGION or not was.strip():
        return None
    if was.endswith("\n") and becomes.endswith("\n") and generator.random() < LINE_BREAK_OUTSIDE:
        was, becomes, below = was[:-1], becomes[:-1], f"\n{below}"
    prefix, suffix = _shown(above, below, max(0, room - len(was) - len(becomes) - edited), generator)
    request = CompletionRequest(
        prefix, suffix, path=source.path, replace_brackets=False, rewritten=Rewritten(was, instruction)
    )
    return Example(kind, request, (becomes,), recent_edits=recent)


def _shown(above: str, below: str, room: int, generator: random.Random) -> tuple[str, str]:
    """Whole lines of both, in as many characters as there is room for."""
    before = int(room * generator.uniform(0.3, 0.8))
    if len(above) > before:
        above = above[above.find("\n", len(above) - before) + 1 :] if before else ""
    if len(below) > room - before:
        below = below[: below.rfind("\n", 0, room - before) + 1]
    return above, below
