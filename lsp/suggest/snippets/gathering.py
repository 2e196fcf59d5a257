"""Snippets of other files for a cursor, in order of importance, as many as there is room and time for."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

from coder.api.completion import Snippet
from coder.context.files import allowed, holds_secret, readable
from coder.syntax.definitions import definitions
from coder.syntax.imports import Import, imports
from lsp.documents import EDIT_REACH, OpenFile, PlaceInFile, RecentEdit
from lsp.suggest.snippets.module_files import is_module, module_paths

MOST_CHARACTERS = 1600
"""Of all snippets: somewhat more than the engine has room for, which it measures in tokens."""

SECONDS = 0.05

NEAR = 40
"""Lines above and below the cursor whose names count first."""

SEEN_ABOVE, SEEN_BELOW = 80, 40
"""Lines around the cursor that the model is shown anyway."""

HEAD, HEAD_LINES = 30_000, 200
"""Characters of the file's head, and lines around the cursor, in which imports and what is used of them are looked for:
a file can be long."""

MOST_IMPORTS, MOST_ALIKE, MOST_FILES = 40, 3, 8


IDENTIFIER = re.compile(r"[^\W\d]\w{2,}")
"""Names of three letters or more; shorter ones are too common."""


class Readable:
    """The rules of one workspace folder, remembered file by file; make a new one for every gathering.

    Args:
        root: the folder; None for a file that is in none.
        trusted: whether the user trusts the workspace. Files that are not open are read in a trusted one alone.
        exclude: globs, as in `.gitignore`.
    """

    def __init__(self, root: Path | None, trusted: bool, exclude: Sequence[str] = ()) -> None:
        self._root = root
        self._trusted = trusted
        self._exclude = GitIgnoreSpec.from_lines(exclude)
        self._allowed: dict[Path, bool] = {}

    def may_show(self, file: OpenFile) -> bool:
        """Return whether an open file's text may be used, as its name, the ignore files and the text itself tell."""
        return self._may_open(file.path) and not _holds_secret(file.text)

    def read(self, path: Path) -> str | None:
        """A file of the workspace, with line feeds alone; None where it may not be read or cannot."""
        if not self._trusted or self._root is None or not path.is_relative_to(self._root):
            return None
        if self._is_excluded(path, self._root) or not readable(path, self._root):
            return None
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def _may_open(self, path: Path) -> bool:
        if path not in self._allowed:
            root = self._root if self._root is not None and path.is_relative_to(self._root) else path.parent
            self._allowed[path] = not self._is_excluded(path, root) and allowed(path, root)
        return self._allowed[path]

    def _is_excluded(self, path: Path, root: Path) -> bool:
        return self._exclude.match_file(path.relative_to(root).as_posix())


def gather(
    place: PlaceInFile,
    open_files: Sequence[OpenFile],
    edits: Sequence[RecentEdit],
    rules: Readable,
    characters: int = MOST_CHARACTERS,
    seconds: float = SECONDS,
) -> tuple[Snippet, ...]:
    """Snippets of other files, and of far parts of this one, the least important first.

    Args:
        open_files: the one at the cursor may be among them.
        edits: where the user has edited lately, the newest last.
        characters: no more of them in all. seconds: after so many, what is found by then is all.
    """
    ends = time.monotonic() + seconds
    others = [file for file in open_files if file.path != place.file.path and rules.may_show(file)]
    found: list[Snippet] = []
    for path, text in _by_importance(place, others, edits, rules):
        snippet = Snippet(_name(path, place.root), text)
        known = [other.text for other in found if other.path == snippet.path]
        is_new = not any(text in other or other in text for other in known)
        if text.strip() and len(text) <= characters and is_new:
            found.append(snippet)
            characters -= len(text)
        if time.monotonic() > ends:
            break
    return tuple(reversed(found))


def _by_importance(
    place: PlaceInFile, others: Sequence[OpenFile], edits: Sequence[RecentEdit], rules: Readable
) -> Iterator[tuple[Path, str]]:
    yield from _imported(place, others, rules)
    yield from _edited(place, others, edits)
    yield from _alike(place, others)


def _imported(place: PlaceInFile, others: Sequence[OpenFile], rules: Readable) -> Iterator[tuple[Path, str]]:
    """The definitions that the file imports: those whose names are used near the cursor, then the others."""
    text = place.file.text[:HEAD] + place.around(HEAD_LINES, HEAD_LINES)
    used, near = identifiers(text), identifiers(place.around(NEAR, NEAR))
    far: list[tuple[Path, str]] = []
    for imported in imports(text, place.file.language)[:MOST_IMPORTS]:
        for path, defining in _files_of(imported, place, others, rules):
            for definition in definitions(defining, place.file.language):
                if definition.name in (imported.names or used):
                    if definition.name in near:
                        yield path, definition.text
                    else:
                        far.append((path, definition.text))
    yield from far


def _files_of(
    imported: Import, place: PlaceInFile, others: Sequence[OpenFile], rules: Readable
) -> Iterator[tuple[Path, str]]:
    """The files that an import names: open ones, as they are in the editor; otherwise one of the workspace."""
    language = place.file.language
    for candidate in module_paths(imported.module, language, place.file.path):
        opened = [file for file in others if is_module(file.path, candidate, language)]
        if opened:
            yield from ((file.path, file.text) for file in opened)
            return
        for path in _on_disk(candidate, place, language):
            if (text := rules.read(path)) is not None:
                yield path, text
                if language != "go":
                    return


def _on_disk(candidate: PurePosixPath | Path, place: PlaceInFile, language: str) -> Iterator[Path]:
    """Yield the paths of a candidate: seen from the folders of the importing file, up to the root, and from `src`."""
    if place.root is None:
        return
    if candidate.is_absolute():
        yield Path(candidate)
        return
    if language == "go":
        # The first parts of the path name the repository.
        folders = (place.root.joinpath(*candidate.parts[first:]) for first in range(len(candidate.parts)))
        folder = next((folder for folder in folders if folder.is_dir()), place.root)
        yield from islice(
            (file for file in sorted(folder.glob("*.go")) if is_module(file, candidate, "go")), MOST_FILES
        )
        return
    inside = [folder for folder in place.file.path.parents if folder.is_relative_to(place.root)]
    yield from (folder / candidate for folder in (*inside, place.root / "src", place.root / "src/main/java"))


def _edited(place: PlaceInFile, others: Sequence[OpenFile], edits: Sequence[RecentEdit]) -> Iterator[tuple[Path, str]]:
    """The lines that the user edited lately, the newest first, but for those that the model sees anyway."""
    files = {file.path: file for file in (*others, place.file)}
    for edit in reversed(edits):
        is_seen = edit.path == place.file.path and -SEEN_ABOVE <= edit.line - place.line <= SEEN_BELOW
        if edit.path in files and not is_seen:
            yield edit.path, edited_text(edit, files[edit.path])


def _alike(place: PlaceInFile, others: Sequence[OpenFile]) -> Iterator[tuple[Path, str]]:
    """The lines of other files of the language that are most like those at the cursor."""
    found = [
        (alike, file.path)
        for file in islice((file for file in others if file.language == place.file.language), MOST_FILES)
        if (alike := most_alike(place, file)) is not None
    ]
    for alike, path in sorted(found, key=lambda one: -one[0].likeness)[:MOST_ALIKE]:
        yield path, alike.text


def _name(path: Path, root: Path | None) -> str:
    """The path as the model should read it: from the workspace's folder on."""
    return path.relative_to(root).as_posix() if root is not None and path.is_relative_to(root) else path.name


WINDOW, STEP = 20, 10
"""Lines, as RepoCoder's sparse retriever takes them (https://arxiv.org/abs/2303.12570)."""

LEAST_ALIKE = 0.15

MOST_LINES = 2000
"""Of a file; what lies behind them is not looked at."""


@dataclass(frozen=True)
class Alike:
    """`likeness` is the Jaccard index of the identifiers: shared ones among all of both."""

    text: str
    likeness: float


def most_alike(place: PlaceInFile, file: OpenFile) -> Alike | None:
    """The lines of a file that are most like those at the cursor, if they are alike at all."""
    wanted = identifiers(place.around(above=WINDOW, below=STEP))
    best: Alike | None = None
    for start in range(0, max(1, min(MOST_LINES, len(file.lines)) - STEP), STEP):
        text = "\n".join(file.lines[start : start + WINDOW])
        found = identifiers(text)
        likeness = len(wanted & found) / max(1, len(wanted | found))
        if likeness >= max(LEAST_ALIKE, best.likeness if best else 0.0):
            best = Alike(text.strip("\n"), likeness)
    return best


def identifiers(text: str) -> set[str]:
    return set(IDENTIFIER.findall(text))


def edited_text(edit: RecentEdit, file: OpenFile) -> str:
    """The lines around an edit, as they are now."""
    return "\n".join(file.lines[max(0, edit.line - EDIT_REACH) : edit.line + EDIT_REACH + 1]).strip("\n")


@lru_cache(maxsize=64)
def _holds_secret(text: str) -> bool:
    """`holds_secret`, remembered: from key to key the other open files are the same."""
    return holds_secret(text)
