"""What of the user's files may be shown to the model: never a secret, nothing that was to be left alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pathspec import GitIgnoreSpec

from coder.context.files import SECRET_CONTENTS, allowed, readable
from lsp.suggest.snippets.place import OpenFile


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
        """Whether an open file's text may be used, as its name, the ignore files and the text itself tell."""
        return self._may_open(file.path) and not any(mark.decode() in file.text for mark in SECRET_CONTENTS)

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
