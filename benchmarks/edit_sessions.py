"""Edit sessions: a file as it was, as it became, and the edits that lead from one to the other."""

# jedi comes with the extra `bench`, not with the checks.
# pyright: reportMissingImports=false

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from coder.api.text_requests import Change
from coder.editing.changes import apply_changes
from data.document import SourceFile
from data.pack.edits import MOST_EDITS, makes_a_session
from data.sources.releases import ChangedFile, ReleasePair, changed_files, release

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


def release_sessions(pair: ReleasePair, cache: Path, most: int, seed: int) -> list[EditSession]:
    """Up to so many files of a pair, drawn."""
    fitting = [session for file in changed_files(pair, cache) if (session := _session(file)) is not None]
    draw = random.Random(seed)
    drawn = draw.sample(fitting, min(most, len(fitting)))
    return [replace(session, first=draw.randrange(len(session.old))) for session in drawn]


def rename_sessions(pair: ReleasePair, cache: Path, most: int, seed: int) -> Iterator[EditSession]:
    """Names of a package's old release renamed everywhere in their file, as jedi finds their uses."""
    draw = random.Random(seed)
    texts = {path: _text(file) for path, file in sorted(release(pair.package, pair.old, cache).items())}
    files = [(path, text) for path, text in texts.items() if 40 < text.count("\n") < 800]
    draw.shuffle(files)
    made = 0
    for path, text in files:
        if made == most:
            return
        renamed = _renamed(text, draw)
        if renamed is not None:
            made += 1
            yield EditSession(pair.package, path, "rename", text, renamed)


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


def _session(file: ChangedFile) -> EditSession | None:
    old, new = _text(file.old), _text(file.new)
    if not old or not new or not makes_a_session(old, new):
        return None
    return EditSession(file.old.package, file.old.path, "release", old, new)


def _text(file: SourceFile) -> str:
    try:
        return file.content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return ""


def _line_starts(text: str) -> Sequence[int]:
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts
