"""Cache folders for tests of the product as a user runs it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import platformdirs

PREPARED = Path(platformdirs.user_cache_dir("quickfill")) / "weights"


def cache_home(folder: Path) -> str:
    """Return the path of a cache folder, made for one test, for the variable XDG_CACHE_HOME.

    Nothing is in it but a link to the weights that are kept prepared in the user's own: those of the embedded model
    take many times as long to prepare as what most tests do with them.
    """
    own = folder / "quickfill"
    own.mkdir(parents=True, exist_ok=True)
    PREPARED.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):  # it is there already, or links may not be made here
        (own / "weights").symlink_to(PREPARED, target_is_directory=True)
    return str(folder)
