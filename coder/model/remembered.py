"""Facts that are costly to find, remembered in the user's cache folder: JSON objects, one file for each kind.

What cannot be read or written is found again the next time, nothing else.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs

from coder.model.checkpoint.files import sha256_of_file

DIGESTS = "digests"

MOST_DIGESTS = 64

SETTLED_SECONDS = 2.0
"""A file that was changed so lately may be changed again without another time of change."""


def recalled(kind: str) -> dict[str, Any]:
    """Return what is remembered of a kind; an empty object where there is nothing that can be read."""
    try:
        content = json.loads(_file(kind).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def remember(kind: str, facts: Mapping[str, Any]) -> None:
    """Replace what is remembered of a kind, whole or not at all."""
    file = _file(kind)
    temporary = file.with_suffix(f".{os.getpid()}-{time.monotonic_ns()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(facts), encoding="utf-8")
        temporary.replace(file)
    except OSError:
        return


def sha256_of_contents(file: Path) -> str:
    """Return the SHA-256 of a file's contents, in hexadecimal; remembered until its size or time of change differs."""
    known, path, state = recalled(DIGESTS), str(file.resolve()), file.stat()
    sign = [state.st_size, state.st_mtime_ns]
    match known.get(path):
        case {"sign": found, "sha256": str(digest)} if found == sign:
            return digest
    digest = sha256_of_file(file)
    if time.time() - state.st_mtime > SETTLED_SECONDS:
        kept = {name: value for name, value in known.items() if name != path}
        newest = dict(list(kept.items())[-MOST_DIGESTS + 1 :])
        remember(DIGESTS, {**newest, path: {"sign": sign, "sha256": digest}})
    return digest


def _file(kind: str) -> Path:
    return Path(platformdirs.user_cache_dir("quickfill")) / f"{kind}.json"
