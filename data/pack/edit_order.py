"""The edits that lead from one text to another, in an order in which somebody may have made them."""

from __future__ import annotations

from collections.abc import Sequence

from coder.api.text_requests import Change
from coder.editing.changes import changes

MOST_LINES = 2500

FEWEST_EDITS, MOST_EDITS = 2, 40
"""With fewer there is nothing to come next; more are no session, but a file written anew."""

LineEdit = tuple[Change, ...]
"""The changes of one line, or of a run of lines."""


def line_edits(now: str, goal: str) -> list[LineEdit]:
    """The edits that are left to be made, one for each line or run of lines, in order."""
    grouped: list[list[Change]] = []
    for change in changes(now, goal):
        if grouped and "\n" not in now[grouped[-1][-1].end : change.start]:
            grouped[-1].append(change)
        else:
            grouped.append([change])
    return [tuple(group) for group in grouped]


def makes_a_session(old: str, new: str) -> bool:
    """Return whether somebody may have come from one text to the other edit by edit."""
    if max(old.count("\n"), new.count("\n")) > MOST_LINES:
        return False
    return FEWEST_EDITS <= len(line_edits(old, new)) <= MOST_EDITS


def in_order(edits: Sequence[LineEdit], position: int) -> list[LineEdit]:
    """The edits as somebody makes them who begins at a position: downwards, then from the top on."""
    first = next((number for number, edit in enumerate(edits) if edit[0].start >= position), 0)
    return [*edits[first:], *edits[:first]]
