"""Edit sessions: a file as it was, as it became, and the edits that lead from one to the other."""

# jedi comes with the extra `bench`, not with the checks.
# pyright: reportMissingImports=false

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.releases import ChangedFile, Pair, changed_files, release
from coder.api.text_requests import Change
from coder.editing.changes import apply_changes, changes

MOST_LINES = 2500

FEWEST_EDITS, MOST_EDITS = 2, 40
"""With fewer there is nothing to come next; more are no session, but a file written anew."""

FEWEST_USES = 3
"""Of a name that is renamed."""


@dataclass(frozen=True)
class EditSession:
    """Attributes:
    kind: from two releases, or a name that is renamed.
    first: where in the old text the first edit is made; the others follow downwards, and then from the top on.
    """

    package: str
    path: str
    kind: Literal["release", "rename"]
    old: str
    new: str
    first: int = 0


def edits(now: str, goal: str) -> list[tuple[Change, ...]]:
    """The edits that are left to be made, one for each line or run of lines, in order."""
    grouped: list[list[Change]] = []
    for change in changes(now, goal):
        if grouped and "\n" not in now[grouped[-1][-1].end : change.start]:
            grouped[-1].append(change)
        else:
            grouped.append([change])
    return [tuple(group) for group in grouped]


def release_sessions(pair: Pair, cache: Path, most: int, seed: int) -> list[EditSession]:
    """Up to so many files of a pair, drawn."""
    fitting = [file for file in changed_files(pair, cache) if _fits(file)]
    draw = random.Random(seed)
    drawn = draw.sample(fitting, min(most, len(fitting)))
    return [
        EditSession(file.package, file.path, "release", file.old, file.new, draw.randrange(len(file.old)))
        for file in drawn
    ]


def rename_sessions(pair: Pair, cache: Path, most: int, seed: int) -> Iterator[EditSession]:
    """Names of a package's old release renamed everywhere in their file, as jedi finds their uses."""
    draw = random.Random(seed)
    folder = release(pair.package, pair.old, cache)
    files = [file for file in sorted(folder.rglob("*.py")) if 40 < file.read_text("utf-8").count("\n") < 800]
    draw.shuffle(files)
    made = 0
    for file in files:
        if made == most:
            return
        text = file.read_text(encoding="utf-8")
        renamed = _renamed(text, draw)
        if renamed is not None:
            made += 1
            yield EditSession(pair.package, file.relative_to(folder).as_posix(), "rename", text, renamed)


def _renamed(text: str, draw: random.Random) -> str | None:
    """The text with one of its parameters, variables, functions or classes called otherwise."""
    import jedi

    script = jedi.Script(text)
    names = [
        name
        for name in script.get_names(all_scopes=True, definitions=True, references=False)
        if name.type in ("param", "statement", "function", "class") and len(name.name) > 2 and name.name != "self"
    ]
    draw.shuffle(names)
    for name in names[:20]:
        try:
            uses = script.get_references(name.line, name.column, scope="file", include_builtins=False)
        except Exception:  # jedi stumbles over some names
            continue
        places = sorted({(use.line, use.column) for use in uses if use.name == name.name})
        if not FEWEST_USES <= len(places) <= MOST_EDITS or name.name.startswith("__"):
            continue
        new = (
            f"{name.name}_{draw.choice(WORDS)}" if draw.random() < 0.5 else f"{draw.choice(WORDS)}_{draw.choice(NOUNS)}"
        )
        starts = _line_starts(text)
        replaced = [
            Change(starts[line - 1] + column, starts[line - 1] + column + len(name.name), new)
            for line, column in places
        ]
        return apply_changes(text, replaced)
    return None


WORDS = "first inner raw shared total next local base final known".split()
NOUNS = "entry value record handle result target source holder".split()


def _fits(file: ChangedFile) -> bool:
    if max(file.old.count("\n"), file.new.count("\n")) > MOST_LINES:
        return False
    return FEWEST_EDITS <= len(edits(file.old, file.new)) <= MOST_EDITS


def _line_starts(text: str) -> Sequence[int]:
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts
