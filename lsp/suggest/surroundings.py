"""The place where a suggestion is asked for, and its context outside the document: snippets, the indexed workspace."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pathspec

from coder.api.completion import Mode, Snippet
from coder.context.files import is_secret_name
from coder.context.window import closing_brackets
from coder.editing.hole_borders import is_inside_line
from coder.syntax.imports import imports
from lsp.documents import (
    LINE_BREAK,
    Document,
    Documents,
    OpenFile,
    PlaceInFile,
    RecentEdits,
    TextChange,
    file_path,
    path_in_folder,
    path_named,
    workspace_of,
)
from lsp.settings import Settings
from lsp.suggest.snippets.gathering import HEAD, Readable, gather

WORD = re.compile(r"\w")


@dataclass(frozen=True)
class Cursor:
    """A place in a document, as the model sees it: with line feeds as the only line breaks.

    Attributes:
        document: with line feeds alone.
        start, end: the range, in characters, that a suggestion stands in for: empty, unless an entry of the completion
            menu is selected.
        selected: that entry's text. A suggestion goes on behind it, as if it had been accepted.
        above: the cells above in the same notebook.
    """

    document: Document
    start: int
    end: int
    selected: str = ""
    above: str = ""

    def moved_to(self, document: Document) -> Cursor:
        """Return the cursor in a later state of its document, if all that has changed was typed at it."""
        place = max(0, len(document.text) - len(self.document.text) + self.end)
        return replace(self, document=document, start=place, end=place, selected="")

    @cached_property
    def prefix(self) -> str:
        """The whole text before what is to be written."""
        return self.above + self.document.text[: self.start] + self.selected

    @cached_property
    def suffix(self) -> str:
        return self.document.text[self.end :]

    @cached_property
    def replaces(self) -> int:
        """Characters behind the cursor that a suggestion replaces: closing brackets that are alone on the rest of the
        line, which the model writes itself."""
        return len(closing_brackets(self.suffix))

    @cached_property
    def mode(self) -> Mode:
        """The extent of a suggestion: a block where only blanks and closing brackets follow on the line."""
        return "line" if is_inside_line(self.suffix) else "block"

    @property
    def is_inside_word(self) -> bool:
        text = self.document.text
        return bool(WORD.match(text[: self.start][-1:]) and WORD.match(text[self.end : self.end + 1]))


def cursor_in(document: Document, start: int, end: int, selected: str = "", cells: Iterable[Document] = ()) -> Cursor:
    """A cursor, or the range of a selected menu entry, by offsets of `document.unix`."""
    above = "".join(f"{cell.unix.text}\n\n" for cell in cells)
    return Cursor(document.unix, start, end, selected, above)


@dataclass(frozen=True)
class Surroundings:
    """The part of a `CompletionRequest` that is not in the document."""

    path: str | None = None
    workspace: str | None = None
    exclude: tuple[str, ...] = ()
    snippets: tuple[Snippet, ...] = ()


class SurroundingsSource:
    """Remembers where the user edits. Its methods run on the event loop's thread, the gathering in another one."""

    def __init__(self) -> None:
        self._edits = RecentEdits()
        self._frozen = FrozenSnippets()
        self._gathering = threading.Lock()

    def note(self, document: Document, changes: Sequence[TextChange]) -> None:
        """Remember where the user changed a document."""
        path = file_path(document.uri)
        for change in changes:
            if path is not None and change.range is not None:
                (first, _), (last, _) = sorted(change.range)
                self._edits.note(path, first, last - first, len(LINE_BREAK.findall(change.text)))

    def around(
        self, document: Document, offset: int, documents: Documents, settings: Settings, folders: Sequence[str]
    ) -> Callable[[], Surroundings]:
        """Return a function that gathers the surroundings of an offset of `document.unix` as of now: some ten
        milliseconds, in any thread. In a workspace that is not trusted only open buffers are read."""
        path = file_path(document.uri)
        if path is None:
            return Surroundings
        root = workspace_of(path, folders)
        place = PlaceInFile(
            OpenFile(path, document.language, document.unix.text), document.unix.position(offset)[0], root
        )
        open_files = list(_open_files(documents, settings, folders))
        edits, permissions = self._edits.edits, (settings.trust, settings.exclude)
        indexed = indexed_folder(path, settings, folders)

        def snippets() -> Snippets:
            return gather(place, open_files, edits, Readable(root, *permissions))

        def gathered() -> Surroundings:
            with self._gathering:
                return Surroundings(str(path), indexed, settings.exclude, self._frozen.at(place, snippets, permissions))

        return gathered


def indexed_folder(path: Path, settings: Settings, folders: Sequence[str]) -> str | None:
    """The workspace folder whose index helps in a file, if there is one and the settings want it."""
    root = workspace_of(path, folders) if settings.index and settings.trust else None
    return None if root is None else str(root)


def indexed_folders(settings: Settings, folders: Sequence[str]) -> list[str]:
    """The workspace folders that have an index."""
    if not (settings.index and settings.trust):
        return []
    return [str(root) for uri in folders if (root := file_path(uri)) is not None]


def is_excluded(uri: str, globs: Sequence[str], folders: Sequence[str]) -> bool:
    """Return whether a glob, as in `.gitignore`, matches the path, seen from the workspace folder that it is in."""
    if not globs:
        return False
    seen = path_in_folder(uri, folders)
    return pathspec.GitIgnoreSpec.from_lines(globs).match_file(seen.relative_to(seen.anchor).as_posix())


def is_secret(uri: str) -> bool:
    """Return whether a document's name is one that keys and passwords go by."""
    return is_secret_name(path_named(uri).name)


def _open_files(documents: Documents, settings: Settings, folders: Sequence[str]) -> Iterator[OpenFile]:
    """Yield the files that the editor has open, without those that are excluded in the folder that they are in."""
    for document in documents.by_uri.values():
        path = file_path(document.uri)
        if path is not None and not is_excluded(document.uri, settings.exclude, folders):
            yield OpenFile(path, document.language, document.unix.text)


SAME_PLACE = 30
"""Lines up or down that are still the same place."""

Snippets = tuple[Snippet, ...]


@dataclass(frozen=True)
class _Gathered:
    place: PlaceInFile
    modules: tuple[str, ...]
    permissions: Hashable
    snippets: Snippets


class FrozenSnippets:
    """Keeps the snippets while the user types in one place: they stay in the engine's cache. Not thread-safe."""

    def __init__(self) -> None:
        self._last: _Gathered | None = None

    def at(self, place: PlaceInFile, gather: Callable[[], Snippets], permissions: Hashable = None) -> Snippets:
        """Return the snippets of the last place, gathered anew in another file, far away, with other imports, or where
        `permissions` have changed."""
        wanted = tuple(one.module for one in imports(place.file.text[:HEAD], place.file.language))
        last = self._last
        if (
            last is None
            or last.place.file.path != place.file.path
            or abs(last.place.line - place.line) > SAME_PLACE
            or (last.modules, last.permissions) != (wanted, permissions)
        ):
            last = self._last = _Gathered(place, wanted, permissions, gather())
        return last.snippets
