"""Examples of next edits, from a file as it was in one release of a package and as it is in the next.

The edits between the two are made one after the other, as somebody may have made them. After some of them the model is
shown the latest ones and the lines around the cursor, and learns what these lines become.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from coder.api.completion import Snippet
from coder.api.text_requests import Change
from coder.editing.changes import apply_changes, changes
from coder.editing.next_edit import edit_window, recent_edit
from coder.syntax.tree import Span
from coder.train.packed_rows import PackedDocument
from data.pack.example import EditExample
from data.pack.layout import Layout
from data.pack.settings import ExampleKind, PackSettings

REMEMBERED = 4
"""Recent edits, of which the oldest give way where there is no room."""

LINES_FROM_THE_EDIT = 6
"""At most between the cursor and an edit that is to be foreseen and is far from the last one."""


@dataclass(frozen=True)
class EditedText:
    """A file in two consecutive releases: `before` in the one, `text` in the other, whose `version` is named."""

    before: str
    text: str
    path: str
    package: str
    version: str


@dataclass(frozen=True)
class EditStep:
    """A moment between two edits; places are those of the text as it is.

    Attributes:
        now: the text. cursor: behind the edit that was made last.
        recent: the latest edits, and `undoing` the changes that would take them back.
        left: the changes that are still to be made. following: where the next of them is.
    """

    now: str
    cursor: int
    recent: tuple[Snippet, ...]
    undoing: tuple[Change, ...]
    left: tuple[Change, ...]
    following: int


def edit_documents(
    files: Iterable[EditedText], layout: Layout, settings: PackSettings, seed: int
) -> Iterator[tuple[ExampleKind, PackedDocument]]:
    """Yield a few examples of each file, as many as fit into a row."""
    for file in files:
        if not makes_a_session(file.before, file.text):
            continue
        generator = random.Random(f"{seed}\n{file.package}\n{file.version}\n{file.path}")
        found = list(steps(file, generator))
        for step in sorted(generator.sample(found, min(settings.edits_per_file, len(found))), key=found.index):
            document = layout.document(edit_example(file, step, settings, generator), settings.row_length)
            if document is not None:
                yield ExampleKind.EDIT, document


def steps(file: EditedText, generator: random.Random) -> Iterator[EditStep]:
    """Make the edits from a drawn place downwards, then from the top on; yield the moment before each but the first."""
    old = file.before
    order = in_order(line_edits(old, file.text), generator.randrange(len(old)))
    texts = [apply_changes(old, _together(order[:count])) for count in range(len(order))]
    shown = [recent_edit(file.path, before, after) for before, after in pairwise(texts)]
    for count in range(1, len(order)):
        first, made = max(0, count - REMEMBERED), _together(order[:count])
        undoing = [
            Change(start := moved(change.start, made), start + len(change.text), old[change.start : change.end])
            for change in _together(order[first:count])
        ]
        left = [
            Change(moved(change.start, made), moved(change.start, made) + change.end - change.start, change.text)
            for change in _together(order[count:])
        ]
        last, following = order[count - 1][-1], moved(order[count][0].start, made)
        cursor = moved(last.start, made) + len(last.text)
        yield EditStep(texts[count], cursor, tuple(shown[first:count]), tuple(undoing), tuple(left), following)


def moved(position: int, made: Sequence[Change]) -> int:
    """A position of the old text where no change was made, or where one begins, in the text after all of these."""
    before = (change for change in made if change.end <= position and change.start < position)
    return position + sum(len(change.text) - (change.end - change.start) for change in before)


def _together(edits: Iterable[LineEdit]) -> list[Change]:
    return sorted((change for edit in edits for change in edit), key=lambda change: change.start)


def edit_example(file: EditedText, step: EditStep, settings: PackSettings, generator: random.Random) -> EditExample:
    """The lines around the cursor; where nothing is left to be done there, mostly those around the next edit."""
    now, window = step.now, edit_window(step.now, step.cursor)
    if not _inside(step.left, window) and generator.random() >= settings.unchanged_windows:
        window = edit_window(now, _near(now, step.following, generator))
    current = now[slice(*window)]
    original, updated = (apply_changes(current, _inside(found, window)) for found in (step.undoing, step.left))
    return EditExample(file.path, file.package, step.recent, original, current, updated)


def _inside(found: Sequence[Change], window: Span) -> list[Change]:
    """The changes of a text that lie in a window of it, as changes of the window."""
    start, end = window
    within = (change for change in found if start <= change.start and change.end <= end)
    return [Change(change.start - start, change.end - start, change.text) for change in within]


def _near(text: str, position: int, generator: random.Random) -> int:
    """A position a few lines from another."""
    for _ in range(generator.randint(0, LINES_FROM_THE_EDIT)):
        position = text.rfind("\n", 0, max(0, position))
    position = max(0, position)
    for _ in range(generator.randint(0, LINES_FROM_THE_EDIT)):
        position = max(position, text.find("\n", position) + 1)
    return position


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
