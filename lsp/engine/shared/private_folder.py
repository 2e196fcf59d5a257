"""A folder that only its user can read."""

from __future__ import annotations

import os
import stat
import warnings
from pathlib import Path

import platformdirs

from coder.errors import QuickfillError

REMEDY = "set `engine` to `in-process` to do without a shared engine"


def runtime_folder() -> Path:
    """Return the folder of the sockets of this user's engines, made if needed.

    Raises QuickfillError where others could look into it or put something else in its place.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a system without such folders gets one among the temporary files
        folder = platformdirs.user_runtime_path("quickfill", appauthor=False)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise QuickfillError(f"{folder} cannot be made: {error.strerror}; {REMEDY}") from error
    require_private(folder)
    return folder


def require_private(path: Path) -> None:
    """Raise QuickfillError unless a file or folder is the user's own, closed to others, and in a folder that others
    cannot change. Windows keeps the folders of a user's profile so itself."""
    if not hasattr(os, "getuid"):
        return
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode) or status.st_uid != os.getuid():
        raise QuickfillError(f"{path} belongs to somebody else; remove it, or {REMEDY}")
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise QuickfillError(f"{path} is open to other users; run `chmod go-rwx {path}`, or {REMEDY}")
    for parent in path.resolve().parents:
        status = parent.stat()
        sticky_or_closed = status.st_mode & stat.S_ISVTX or not status.st_mode & stat.S_IWOTH
        if status.st_uid not in (0, os.getuid()) or not sticky_or_closed:
            raise QuickfillError(f"other users can replace what is in {parent}; change that, or {REMEDY}")
