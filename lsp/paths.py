"""The paths that the editor's URIs name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from urllib.parse import unquote, urlsplit

from pygls.uris import to_fs_path

DRIVE = re.compile(r"/(?=[A-Za-z]:)")


def path_named(uri: str) -> PurePath:
    """Return the path that a URI of any scheme names, to be compared with others: on Windows one file is written as
    `file:///c%3A/a.py` and `file:///C:/a.py`, by the same editor."""
    parts = urlsplit(uri)
    path = unquote(parts.path) or uri
    if parts.scheme == "file" and parts.netloc not in ("", "localhost"):
        return PureWindowsPath(f"//{parts.netloc}{path}")
    return PureWindowsPath(path[1:]) if DRIVE.match(path) else PurePosixPath(path)


def path_in_folder(uri: str, folders: Iterable[str]) -> PurePath:
    """Return the path seen from the innermost of the folders that it is in; the whole path where it is in none."""
    path = path_named(uri)
    inside = [folder for folder in map(path_named, folders) if path.is_relative_to(folder)]
    return path.relative_to(max(inside, key=lambda folder: len(folder.parts))) if inside else path


def file_path(uri: str) -> Path | None:
    """Return the file of a document; None for one that is nowhere on this machine, or a part of another file."""
    path = to_fs_path(uri)
    return Path(path) if path else None


def workspace_of(path: Path, folders: Iterable[str]) -> Path | None:
    """Return the innermost workspace folder that a file is in."""
    roots = [root for uri in folders if (root := file_path(uri)) is not None and path.is_relative_to(root)]
    return max(roots, key=lambda root: len(root.parts), default=None)
