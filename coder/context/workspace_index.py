"""The index of a folder, built and kept up to date in the background."""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pathspec import GitIgnoreSpec

from coder.context.files import allowed, holds_secret, readable, source_files
from coder.context.ngram_index import NgramIndex
from coder.context.words import without_border_words
from coder.errors import InputError

logger = logging.getLogger(__name__)

BATCH_CHARACTERS = 500_000
"""Characters that join the index at a time while a folder is read."""

OPEN_TEXT_CHARACTERS = 50_000
"""Characters on each side of a hole that are indexed, the nearest."""

REFRESH_SECONDS = 20.0
"""Seconds after which a request has the folder looked through again."""

REFRESH_SHARE = 20.0
"""A look is also not repeated before this many times the seconds that the last one took."""


@dataclass(frozen=True)
class IndexLimits:
    """The limits of an index. Files beyond them are left out.

    Attributes:
        bytes: no file joins once so many are held.
        seconds: no file joins in one look through the folder after so many.
    """

    bytes: int = 64_000_000
    seconds: float = 60.0


@dataclass(frozen=True)
class IndexState:
    """The contents of an index and the cost of building it.

    Attributes:
        files, words, bytes: held.
        building: whether the folder is being read, or changes wait to be.
        complete: whether all readable files are in, as of the last look.
        seconds: duration of the last look through the folder.
        age_seconds: how long ago it ended; None if there was none yet.
    """

    files: int
    words: int
    bytes: int
    building: bool
    complete: bool
    seconds: float
    age_seconds: float | None


class WorkspaceIndex:
    """The index of one folder. Any thread may call any method; a thread of its own reads, and nobody waits for it.

    A file's text is the one on the disk, or the one that an editor holds: see `update`.
    """

    def __init__(self, root: Path, limits: IndexLimits | None = None) -> None:
        self.root = root.resolve()
        self._limits = limits or IndexLimits()
        self._index = NgramIndex()
        self._stamps: dict[str, tuple[int, int]] = {}
        self._open_files: set[str] = set()
        self._complete = False
        self._seconds = 0.0
        self._looked = float("-inf")
        self._looking = threading.Lock()
        self._tasks: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="quickfill-index", daemon=True)
        self._thread.start()

    @property
    def state(self) -> IndexState:
        index = self._index
        building = self._looking.locked() or not self._tasks.empty()
        files, words = len(index.names), index.word_count
        age = time.monotonic() - self._looked
        known = age if age < float("inf") else None
        return IndexState(files, words, index.nbytes, building, self._complete, self._seconds, known)

    def refresh(self, now: bool = False) -> None:
        """Look through the folder for what has changed, unless that was done a moment ago or is being done."""
        pause = max(REFRESH_SECONDS, REFRESH_SHARE * self._seconds)
        if (now or time.monotonic() - self._looked > pause) and self._looking.acquire(blocking=False):
            self._tasks.put(self._look)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until everything asked for so far is in the index; False where that takes longer than `timeout` seconds,
        or the index is closed."""
        done = threading.Event()
        self._tasks.put(done.set)
        return done.wait(timeout) and not self._closed.is_set()

    def update(self, path: Path, text: str) -> None:
        """Let an editor's text of a file count instead of the one on the disk, until `release`."""
        self._tasks.put(lambda: self._hold(path, text))

    def release(self, path: Path) -> None:
        """Let a file's text on the disk count again: the editor has closed it."""
        self._tasks.put(lambda: self._read_again(path))

    def around(self, path: str | None, *texts: str, exclude: Sequence[str] = ()) -> NgramIndex:
        """Return the index for a hole between `texts`, which are all that counts of the file at `path`.

        So the text of the file as it was saved, with what once stood in the hole, is not in it; and no n-gram reaches
        over a hole.

        Args:
            exclude: globs as in `.gitignore`, from the folder on, of files that do not count.
        """
        hidden = [] if path is None else [_key(Path(path)), _key(self.root / path)]
        index = self._index
        if exclude:
            folder, globs = _key(self.root), tuple(exclude)
            hidden += [name for name in index.names if _is_excluded(name, folder, globs)]
        first, *others = texts
        nearest = [first[-OPEN_TEXT_CHARACTERS:], *(text[:OPEN_TEXT_CHARACTERS] for text in others)]
        # Nobody should remember every beginning of a word that is typed.
        whole = {f"text {number}": without_border_words(text) for number, text in enumerate(nearest)}
        return index.hiding(hidden).beside(whole)

    def close(self) -> None:
        """Stop reading, soon. Nothing joins the index any more."""
        self._closed.set()
        self._tasks.put(self._thread.join)

    def _work(self) -> None:
        while True:
            task = self._tasks.get()
            if task == self._thread.join:
                return
            try:
                task()
            except Exception:
                # Without this the index would stand still for good; a file that cannot be read is no reason for that.
                logger.exception("a change of the workspace %s could not be indexed", self.root)

    def _look(self) -> None:
        """Bring what changed on the disk into the index, within the limits."""
        started = time.monotonic()
        try:
            seen: set[str] = set()
            batch: dict[str, str] = {}
            self._complete = self._look_through(started, seen, batch)
            self._add(batch)
            if self._complete:
                self._drop(self._stamps.keys() - seen)
        finally:
            self._looked = time.monotonic()
            self._seconds = self._looked - started
            self._looking.release()

    def _look_through(self, started: float, seen: set[str], batch: dict[str, str]) -> bool:
        """Add files as they are found, all but the last batch. Returns whether none is left out."""
        characters = 0
        for path in source_files(self.root):
            if self._closed.is_set() or time.monotonic() - started > self._limits.seconds:
                return False
            key, stamp = _key(path), _stamp(path)
            seen.add(key)
            if stamp is None or key in self._open_files or self._stamps.get(key) == stamp:
                continue
            if self._index.nbytes >= self._limits.bytes:
                return False
            text = _text(path)
            self._stamps[key], batch[key] = stamp, text
            characters += len(text)
            if characters > BATCH_CHARACTERS:
                self._add(batch)
                batch.clear()
                characters = 0
        return True

    def _hold(self, path: Path, text: str) -> None:
        key = _key(path)
        if allowed(path, self.root):
            self._open_files.add(key)
            self._stamps.pop(key, None)
            self._add({key: "" if holds_secret(text) else text})

    def _read_again(self, path: Path) -> None:
        key, stamp = _key(path), _stamp(path)
        self._open_files.discard(key)
        if stamp is not None and readable(path, self.root):
            self._stamps[key] = stamp
            self._add({key: _text(path)})
        else:
            self._drop({key})

    def _add(self, texts: dict[str, str]) -> None:
        if texts:
            self._index = self._index.with_files(texts)

    def _drop(self, keys: set[str]) -> None:
        for key in keys:
            self._stamps.pop(key, None)
        self._index = self._index.without(keys)


class WorkspacePool:
    """The indexes of the folders that were asked for most recently."""

    def __init__(self, most: int = 4, limits: IndexLimits | None = None) -> None:
        self._most = most
        self._limits = limits
        self._indexes: dict[Path, WorkspaceIndex] = {}
        self._lock = threading.Lock()

    def at(self, root: str | Path) -> WorkspaceIndex:
        """Return the index of a folder, which begins to be built when it is first asked for.

        Raises:
            InputError: no system has a folder of that name.
        """
        try:
            folder = Path(root).resolve()
        except (OSError, ValueError) as error:
            raise InputError(f"the workspace {str(root)!r} is no folder: {error}") from None
        with self._lock:
            index = self._indexes.pop(folder, None) or WorkspaceIndex(folder, self._limits)
            self._indexes[folder] = index
            while len(self._indexes) > self._most:
                self._indexes.pop(next(iter(self._indexes))).close()
        index.refresh()
        return index

    def close(self) -> None:
        with self._lock:
            for index in self._indexes.values():
                index.close()
            self._indexes.clear()


def _key(path: Path) -> str:
    """Return one name for a file, however it is spelled."""
    try:
        return os.path.normcase(path.resolve())
    except (OSError, RuntimeError, ValueError):
        return str(path)


@lru_cache(maxsize=100_000)  # every request asks about every file
def _is_excluded(name: str, folder: str, globs: tuple[str, ...]) -> bool:
    return _spec(globs).match_file(os.path.relpath(name, folder))


@lru_cache(maxsize=16)
def _spec(globs: tuple[str, ...]) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(globs)


def _stamp(path: Path) -> tuple[int, int] | None:
    """Return the facts by which a change of the file is noticed; None where there is no such file."""
    try:
        facts = path.stat()
    except (OSError, ValueError):
        return None
    return facts.st_mtime_ns, facts.st_size


def _text(path: Path) -> str:
    """Return a file's text with line feeds at its lines' ends; empty where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
