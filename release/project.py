"""The release that is built: its version, where its files will be, and what its plugins advise to install."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from coder.errors import QuickfillError
from coder.installation import ADVICE

ROOT = Path(__file__).parents[1]
PLUGINS = ROOT / "editor-plugins"


def project_version() -> str:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


@dataclass(frozen=True)
class Release:
    """A release in the making.

    Attributes:
        out: the folder that its files go to.
        url: the address of the folder that users will download them from, without a slash at the end.
        repository: the address of the repository, as `git clone` takes it.
    """

    out: Path
    url: str
    repository: str
    version: str

    @property
    def wheel(self) -> Path:
        return self.out / f"quickfill-{self.version}-py3-none-any.whl"

    @property
    def sdist(self) -> Path:
        return self.out / f"quickfill-{self.version}.tar.gz"

    @property
    def advice(self) -> dict[str, str]:
        """The content of `installation.json` in the plugins: the wheel's address, unless the index has the package."""
        return {"command": ADVICE["command"], "source": ADVICE["source"] or f"{self.url}/{self.wheel.name}"}


def run(command: list[str], folder: Path = ROOT, environment: Mapping[str, str] | None = None) -> str:
    """Run a program and return what it prints. Raises QuickfillError with the end of its output where it fails."""
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise QuickfillError(f"{command[0]} is not installed; docs/releasing.md says what a release needs") from error
    if done.returncode != 0:
        end = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
        raise QuickfillError(f"{' '.join(command)} failed with code {done.returncode}:\n{end}")
    return done.stdout
