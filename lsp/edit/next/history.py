"""The user's latest edits of a text, put together from keystrokes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

REMEMBERED = 40
"""Edits: as many as the uses of a name that is renamed one by one."""

LONGEST_OLD_TEXT = 2000
"""Characters. What replaces more than that is no edit that could be repeated."""


@dataclass(frozen=True)
class PastEdit:
    """A place that was changed: the characters from `start` to `end` of the text as it is now stand where `old` did."""

    start: int
    end: int
    old: str


@dataclass(frozen=True)
class EditHistory:
    """The latest edits of a text, the newest last. They do not overlap, and move with the text around them."""

    edits: tuple[PastEdit, ...] = ()

    def after(self, before: str, now: str) -> EditHistory:
        """The history when the text changed from `before` to `now` at one place. A change that touches an edit, or is
        on its line, belongs to it; an edit that was undone is none."""
        start, end, length = difference(before, now)
        if start == end and not length:
            return self
        shift = length - (end - start)
        near = [edit for edit in self.edits if _belongs(edit, before, start, end)]
        others = [
            replace(edit, start=edit.start + shift, end=edit.end + shift) if edit.start >= end else edit
            for edit in self.edits
            if edit not in near
        ]
        first, last = min([start, *(edit.start for edit in near)]), max([end, *(edit.end for edit in near)])
        inside = (replace(edit, start=edit.start - first, end=edit.end - first) for edit in near)
        old = reverted(before[first:last], inside)
        merged = PastEdit(first, last + shift, old)
        undone = old == now[merged.start : merged.end]
        kept = others if undone or len(old) > LONGEST_OLD_TEXT else [*others, merged]
        return EditHistory(tuple(kept[-REMEMBERED:]))


def reverted(text: str, edits: Iterable[PastEdit]) -> str:
    """The text as it was before these edits of it."""
    for edit in sorted(edits, key=lambda edit: -edit.start):
        text = text[: edit.start] + edit.old + text[edit.end :]
    return text


def difference(before: str, now: str) -> tuple[int, int, int]:
    """The one place where two texts differ: its start and end in `before`, and its length in `now`."""
    shorter = min(len(before), len(now))
    start = _common(shorter, lambda count: before[:count] == now[:count])
    rest = shorter - start
    behind = _common(rest, lambda count: before[len(before) - count :] == now[len(now) - count :])
    return start, len(before) - behind, len(now) - behind - start


def _common(most: int, are_equal: Callable[[int], bool]) -> int:
    """The largest count up to `most` for which the two are equal; they are for every smaller one."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if are_equal(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _belongs(edit: PastEdit, text: str, start: int, end: int) -> bool:
    """Return whether a change of the characters from `start` to `end` goes on with an edit."""
    first, last = sorted([(edit.start, edit.end), (start, end)])
    return "\n" not in text[first[1] : last[0]]
