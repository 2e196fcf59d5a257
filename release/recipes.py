"""Recipes by which others install the release: a Homebrew formula, and the Dockerfile of a server."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from release.project import Release

FORMULA = """\
class Quickfill < Formula
  include Language::Python::Virtualenv

  desc "Code assistant with a diffusion model that runs offline, in your editor"
  homepage "{repository}"
  url "{url}"
  sha256 "{digest}"
  license "Apache-2.0"

  depends_on "python@3.13"

  def install
    environment = virtualenv_create(libexec, "python3.13")
    system "python3.13", "-m", "pip", "--python", environment.root/"bin/python", "install", buildpath
    bin.install_symlink libexec/"bin/quickfill"
  end

  test do
    system bin/"quickfill", "doctor", "--no-model"
  end
end
"""


def write_formula(release: Release) -> Iterator[Path]:
    """Write the Homebrew formula, for a tap: it names the source distribution and its checksum."""
    formula = release.out / "quickfill.rb"
    text = FORMULA.format(
        repository=release.repository,
        url=f"{release.url}/{release.sdist.name}",
        digest=sha256(release.sdist),
    )
    formula.write_text(text, encoding="utf-8")
    yield formula


def write_dockerfile(release: Release) -> Iterator[Path]:
    """Copy the Dockerfile beside the wheel that it installs."""
    yield Path(shutil.copy(Path(__file__).with_name("Dockerfile"), release.out))


def write_checksums(files: list[Path], to: Path) -> None:
    """Write the SHA-256 of every file as `sha256sum --check` reads it."""
    lines = [f"{sha256(file)}  {file.name}\n" for file in sorted(files)]
    to.write_text("".join(lines), encoding="utf-8")


def sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
