"""The next edit as a question to a model that was trained on edits: files of a repository, as the base knows them.

    name.diff: a place before and after, for each recent edit, the newest last
    original/name: the lines around the cursor as they were before these edits
    current/name: as they are
    updated/name: as they will be  ▸  what the model writes

Fixed windows of lines rather than syntactic regions: a model ends a number of lines more readily. Whoever makes
training examples and whoever asks a model both use this layout.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile

from coder.api.completion import Snippet

LINES_AROUND = 10
"""Above and below the cursor, that are written anew."""

RECENT_TOKENS = 192
"""For all recent edits together."""

LINES_BESIDE = 1
"""Unchanged lines above and below a recent edit, which tell where it is."""


def edit_window(text: str, position: int) -> tuple[int, int]:
    """Return the whole lines around a position, without the last line break."""
    start, end = position, position - 1
    for _ in range(LINES_AROUND + 1):
        start, end = text.rfind("\n", 0, max(0, start)), text.find("\n", end + 1)
        end = len(text) if end < 0 else end
    return start + 1, end


def recent_edit(path: str, before: str, after: str) -> Snippet:
    """Return an edit that turned one text of a file into another, as the model is shown it."""
    old, new = before.split("\n"), after.split("\n")
    above = _common(old, new)
    below = _common(old[above:][::-1], new[above:][::-1])
    first, last = max(0, above - LINES_BESIDE), max(0, below - LINES_BESIDE)
    was, became = ("\n".join(lines[first : len(lines) - last]) for lines in (old, new))
    return Snippet(f"{path}.diff", f"original:\n{was}\nupdated:\n{became}")


def newest_edits(recent: Sequence[Snippet], count_tokens: Callable[[str], int]) -> Sequence[Snippet]:
    """Return those of the recent edits, the newest, that there is room for."""
    sizes = [count_tokens(edit.text) for edit in recent]
    fitting = (first for first in range(len(recent) + 1) if sum(sizes[first:]) <= RECENT_TOKENS)
    return recent[next(fitting) :]


def edited_files(path: str, original: str, current: str, recent: Sequence[Snippet]) -> list[tuple[str, str]]:
    """Return what stands before the answer, by path and text; the answer is the file `updated_path` names."""
    edits = [(edit.path, edit.text) for edit in recent]
    return [*edits, (f"original/{path}", original), (f"current/{path}", current)]


def updated_path(path: str) -> str:
    """Return the path of the file that the model writes."""
    return f"updated/{path}"


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    """The number of lines that both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
