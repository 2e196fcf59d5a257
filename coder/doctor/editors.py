"""The editors of this machine, and whether each is set up for Quickfill. Nothing of theirs is run but `--version`."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from coder.doctor.findings import Finding

LARGEST_SETTINGS = 1 << 20
"""Bytes; a larger file is not a setting that somebody wrote."""


@dataclass(frozen=True)
class Editor:
    """An editor that there is a plugin or a configuration for.

    Attributes:
        programs: names of its command, the usual one first.
        oldest: the version from which on it can be used.
        guide: the page that says how to set it up, a path in the repository.
        is_set_up: whether its settings, or its extensions, name Quickfill.
    """

    name: str
    programs: tuple[str, ...]
    oldest: tuple[int, ...]
    guide: str
    is_set_up: Callable[[], bool]


def _settings_name_it(*patterns: str) -> Callable[[], bool]:
    """Return the question whether a settings file, by patterns in the home and the configuration folder, names us."""

    def look() -> bool:
        folders = {Path.home(), Path.home() / ".config", Path(platformdirs.user_config_dir())}
        files = (file for folder in folders for pattern in patterns for file in folder.glob(pattern))
        return any(_says_quickfill(file) for file in files)

    return look


def _says_quickfill(file: Path) -> bool:
    try:
        if not file.is_file() or file.stat().st_size > LARGEST_SETTINGS:
            return False
        return "quickfill" in file.read_text(encoding="utf-8", errors="replace").lower()
    except OSError:
        return False


def _has_extension() -> bool:
    """Return whether the extension lies in a folder of VS Code, of its server, or of VSCodium."""
    folders = (".vscode", ".vscode-server", ".vscode-insiders", ".vscode-oss", ".cursor", ".windsurf")
    return any(any((Path.home() / folder / "extensions").glob("quickfill.quickfill-*")) for folder in folders)


def _neovim_is_set_up() -> bool:
    data = Path(platformdirs.user_data_dir("nvim")) if sys.platform == "win32" else Path.home() / ".local/share/nvim"
    installed = any(any(data.glob(pattern)) for pattern in ("lazy/*quickfill*", "site/pack/*/*/*quickfill*"))
    return installed or _settings_name_it("nvim/init.lua", "nvim/init.vim", "nvim/lua/**/*.lua", "nvim/plugin/*.lua")()


EDITORS = (
    Editor("Neovim", ("nvim",), (0, 12), "editor-plugins/nvim", _neovim_is_set_up),
    Editor("VS Code", ("code", "codium", "code-insiders"), (1, 91), "editor-plugins/vscode", _has_extension),
    Editor(
        "Emacs",
        ("emacs",),
        (30,),
        "editor-plugins/emacs",
        _settings_name_it(".emacs", ".emacs.d/*.el", "emacs/*.el", "doom/*.el"),
    ),
    Editor("Helix", ("hx", "helix"), (25,), "editor-plugins/helix", _settings_name_it("helix/languages.toml")),
    Editor("Zed", ("zed", "zeditor"), (0,), "editor-plugins/zed", _settings_name_it("zed/settings.json")),
    Editor("Kate", ("kate",), (22, 12), "editor-plugins/kate", _settings_name_it("kate/lspclient/settings.json")),
)


def check_editors() -> Iterator[Finding]:
    """Yield every editor that is found, its version, and whether it is set up."""
    found = [(editor, path) for editor in EDITORS if (path := _first_program(editor.programs))]
    for editor, path in found:
        yield _examined(editor, path)
    if not found:
        remedy = "any editor with a language client can start `quickfill lsp`; see docs/language-server.md"
        yield Finding("editors", "editors", "optional", "none of those that are known is on the PATH", remedy)


def _first_program(programs: tuple[str, ...]) -> str | None:
    return next((path for program in programs if (path := shutil.which(program))), None)


def _examined(editor: Editor, path: str) -> Finding:
    version = _version(path)
    said = f"{'.'.join(map(str, version)) or 'version unknown'}, {path}"
    if version and version < editor.oldest:
        oldest = ".".join(map(str, editor.oldest))
        return Finding("editors", editor.name, "optional", f"{said}: too old", f"install {oldest} or newer")
    if editor.is_set_up():
        return Finding("editors", editor.name, "works", f"{said}, set up for Quickfill")
    return Finding("editors", editor.name, "optional", f"{said}, not set up", f"see {editor.guide}/README.md")


def _version(path: str) -> tuple[int, ...]:
    """Return the first version number that a program says; empty where it says none in time."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    number = re.search(r"\d+(?:\.\d+)+", done.stdout)
    return tuple(map(int, number.group().split("."))) if number else ()
