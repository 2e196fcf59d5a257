"""Packages of the npm registry, brought by `npm pack` and kept: what people wrote of them, not what compilers did."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from coder.errors import InputError, MissingDependencyError
from coder.syntax.languages import language_of
from data.sources.archive import Archive
from data.sources.pin_list import ClientPin, read_client_pins
from data.sources.source import Found, Wanted

COMPILED = frozenset("amd browser build bundles cjs commonjs dist dist-cjs dist-es es es6 esm esm5 fesm umd".split())
"""Folders that compilers and bundlers write."""


@dataclass(frozen=True)
class NpmPackages:
    """The packages of a list, `NAME@VERSION sha256:…` a line. What the cache holds already is not brought again."""

    file: Path
    cache: Path
    wanted: Wanted

    def files(self) -> Iterator[Found]:
        """Raises InputError when the list cannot be read or a package cannot be had as it is pinned."""
        for pin in read_client_pins(self.file, "@"):
            path = self.cache / "npm" / f"{pin.folder_name}.tgz"
            if not path.is_file():
                fetch(pin, path)
            pin.require(path)
            archive = Archive(path, self.wanted, name=(pin.name, pin.version))
            written = written_by_people(archive.names())
            yield from (found for found in archive.files() if found.path in written)


def fetch(pin: ClientPin, path: Path) -> None:
    """Bring a package. Raises InputError with what npm said, MissingDependencyError without npm."""
    npm = shutil.which("npm")
    if npm is None:
        raise MissingDependencyError("npm packages are brought by npm, which is not on the path; install it")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        command = [
            npm,
            "pack",
            "--silent",
            "--ignore-scripts",
            "--pack-destination",
            folder,
            f"{pin.name}@{pin.version}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=folder)
        packed = list(Path(folder).glob("*.tgz"))
        if done.returncode or not packed:
            raise InputError(f"npm cannot bring {pin.name} {pin.version}: {done.stderr.strip() or 'it said nothing'}")
        packed[0].replace(path)


def written_by_people(paths: Iterator[str]) -> set[str]:
    """The paths of a package that no compiler wrote: outside of its folders, and no JavaScript beside TypeScript."""
    kept = [path for path in paths if not COMPILED & {part.lower() for part in PurePosixPath(path).parts[:-1]}]
    languages = {path: language.name for path in kept if (language := language_of(path)) is not None}
    in_typescript = any(name.startswith("typescript") and not _declares(path) for path, name in languages.items())
    return {path for path in kept if not (in_typescript and languages.get(path, "").startswith("javascript"))}


def _declares(path: str) -> bool:
    return path.endswith((".d.ts", ".d.mts", ".d.cts"))
