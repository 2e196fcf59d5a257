"""Where nothing is suggested, however sure the model is."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import pathspec

from coder.context.files import SECRET_NAMES
from lsp.documents import Document
from lsp.settings import Settings
from lsp.suggest.cursor import Cursor


def wants_suggestions(document: Document, settings: Settings, folders: Sequence[str]) -> bool:
    """Whether the user wants any in this document: its language is enabled, no glob excludes its path, and its name is
    not one that keys and passwords go by."""
    enabled = settings.enables(document.language) and not is_excluded(document.uri, settings.exclude, folders)
    return enabled and not is_secret(document.uri)


def wants_unasked(cursor: Cursor, settings: Settings) -> bool:
    """Whether a suggestion that nobody asked for would be welcome here: not right after a deletion, and not in the
    middle of a word."""
    return settings.automatic and not cursor.document.after_deletion and not cursor.is_inside_word


def is_excluded(uri: str, globs: Sequence[str], folders: Sequence[str]) -> bool:
    """Whether a glob, as in `.gitignore`, matches the path, seen from the workspace folder that it is in."""
    if not globs:
        return False
    path = _path(uri)
    inside = [folder for folder in map(_path, folders) if path.is_relative_to(folder)]
    seen = path.relative_to(max(inside, key=lambda folder: len(folder.parts))) if inside else path
    return pathspec.GitIgnoreSpec.from_lines(globs).match_file(str(seen).lstrip("/"))


def is_secret(uri: str) -> bool:
    name = _path(uri).name.lower()
    return any(fnmatchcase(name, pattern) for pattern in SECRET_NAMES)


def _path(uri: str) -> PurePosixPath:
    return PurePosixPath(unquote(urlsplit(uri).path) or uri)
