"""Git repositories on this machine: what is tracked, at one revision, by asking `git`."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from coder.errors import InputError, MissingDependencyError
from data.document import Skipped, SourceFile
from data.sources.project import ProjectMetadata, describe_project
from data.sources.source import LARGEST_FILE, TOO_LARGE, Found, Wanted

FILE_MODES = ("100644", "100755")
"""Regular files; links and submodules are others."""

QUIETLY = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
"""Settings of git under which nothing is written, nothing fetched and nobody asked."""


@dataclass(frozen=True)
class Blob:
    """A tracked file: its object's name, its size in bytes, and its path from the repository's top."""

    name: str
    size: int
    path: str


@dataclass(frozen=True)
class GitRepository:
    """The tracked files of a repository, working tree or bare.

    Attributes:
        revision: anything that names a commit. The version of the files is its hash.
        package: the repository's name; by default what its metadata says, or its folder's name.
        license: the SPDX expression; by default what its files state.
    """

    path: Path
    wanted: Wanted
    revision: str = "HEAD"
    package: str | None = None
    license: str | None = None

    def files(self) -> Iterator[Found]:
        """Raises InputError where there is no such repository or commit, MissingDependencyError without git."""
        if not self.path.is_dir():
            raise InputError(f"{self.path} is not a folder")
        commit = self._git("rev-parse", "--verify", "--end-of-options", f"{self.revision}^{{commit}}").decode().strip()
        blobs = _parse_tree(self._git("ls-tree", "-r", "-z", "--long", "--full-tree", commit))
        with self._contents() as read:
            project = self._project(commit, blobs, read)
            for blob in blobs:
                if not self.wanted(blob.path):
                    continue
                if blob.size > LARGEST_FILE:
                    yield Skipped(blob.path, project.package, TOO_LARGE)
                else:
                    yield SourceFile(blob.path, read(blob), project.package, commit, project.license)

    def _project(self, commit: str, blobs: list[Blob], read) -> ProjectMetadata:
        told = [blob for blob in blobs if ProjectMetadata.is_told_by(blob.path) and blob.size <= LARGEST_FILE]
        name = self.path.resolve().name.removesuffix(".git")
        described = describe_project(name, {blob.path: read(blob) for blob in told}, self.package, self.license)
        return ProjectMetadata(described.package, commit, described.license)

    def _git(self, *arguments: str) -> bytes:
        done = subprocess.run(
            [*self._command(), *arguments], capture_output=True, env=_environment(), stdin=subprocess.DEVNULL
        )
        if done.returncode:
            reason = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
            raise InputError(f"git cannot read {self.path} at {self.revision}: {reason}")
        return done.stdout

    @contextmanager
    def _contents(self) -> Iterator:
        """A function that reads a blob, by one `git cat-file` for all of them."""
        with subprocess.Popen(
            [*self._command(), "cat-file", "--batch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        ) as process:
            assert process.stdin is not None and process.stdout is not None
            questions, answers = process.stdin, process.stdout
            yield lambda blob: _read_blob(blob, questions, answers, self.path)
            questions.close()

    def _command(self) -> list[str]:
        git = shutil.which("git")
        if git is None:
            raise MissingDependencyError("repositories are read by git, which is not on the path; install it")
        return [git, "-C", str(self.path), "-c", "core.fsmonitor=false"]


def _read_blob(blob: Blob, questions: IO[bytes], answers: IO[bytes], repository: Path) -> bytes:
    questions.write(f"{blob.name}\n".encode())
    questions.flush()
    header = answers.readline().split()
    if len(header) != 3:
        raise InputError(f"{repository} lacks {blob.path}; is the clone a partial one? Fetch what is missing")
    content = answers.read(int(header[2]))
    answers.read(1)
    return content


def _parse_tree(listing: bytes) -> list[Blob]:
    """`git ls-tree -r -z --long`: `mode type name size TAB path`, each ended by a NUL."""
    blobs = []
    for line in filter(None, listing.split(b"\0")):
        told, path = line.split(b"\t", 1)
        mode, _, name, size = told.decode().split()
        if mode in FILE_MODES:
            blobs.append(Blob(name, int(size), path.decode(errors="replace")))
    return blobs


def _environment() -> dict[str, str]:
    """Without the variables that tell git of another repository, as a hook that runs this would set them."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | QUIETLY
