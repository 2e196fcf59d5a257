"""Builds the playground's editor when the package is built, where npm is there to do it.

Without npm, or without a way to its packages, the package is built all the same, and the page has a plain text field.
QUICKFILL_PLAYGROUND=no leaves it out, QUICKFILL_PLAYGROUND=yes lets the build fail without it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = "coder/serve/playground"
SOURCES = ("package.json", "package-lock.json", ".npmrc", "build.mjs", "monaco_entry.js")
INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1")
PATIENCE_SECONDS = 300.0


class PlaygroundHook(BuildHookInterface):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Have the editor in the wheel, or in the folder of an editable installation."""
        folder, wanted = Path(self.root) / FOLDER, os.environ.get("QUICKFILL_PLAYGROUND", "")
        build_data["artifacts"].append(f"{FOLDER}/built/*")
        npm = shutil.which("npm")
        if wanted == "no" or (folder / "built" / "monaco.js").is_file():
            return
        try:
            if npm is None:
                raise FileNotFoundError("npm is not installed")
            build(folder, npm)
        except (OSError, subprocess.SubprocessError) as error:
            if wanted == "yes":
                raise
            self.app.display_warning(f"the playground will have a plain text field: {error}")


def build(folder: Path, npm: str) -> None:
    """Run the build elsewhere, so that nothing of it stays but what it makes."""
    with tempfile.TemporaryDirectory() as elsewhere:
        for name in SOURCES:
            shutil.copy(folder / name, elsewhere)
        for arguments in (INSTALL, ("run", "--silent", "build")):
            subprocess.run(
                [npm, *arguments], cwd=elsewhere, check=True, timeout=PATIENCE_SECONDS, stdin=subprocess.DEVNULL
            )
        shutil.copytree(Path(elsewhere) / "built", folder / "built", dirs_exist_ok=True)
