"""The documents that a user keeps from the model: those that a glob excludes, and those that hold keys."""

from __future__ import annotations

from collections.abc import Sequence

import pathspec

from coder.context.secrets import is_secret_name
from lsp.documents import path_in_folder, path_named


def is_excluded(uri: str, globs: Sequence[str], folders: Sequence[str]) -> bool:
    """Return whether a glob, as in `.gitignore`, matches the path, seen from the workspace folder that it is in."""
    if not globs:
        return False
    seen = path_in_folder(uri, folders)
    return pathspec.GitIgnoreSpec.from_lines(globs).match_file(seen.relative_to(seen.anchor).as_posix())


def is_secret(uri: str) -> bool:
    return is_secret_name(path_named(uri).name)
