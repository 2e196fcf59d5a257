"""A real VS Code, served by code-server and shown in Chromium without a screen, with the packaged extension: driven by
keys, read from the screen and from the files that it saves."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from playwright.sync_api import Locator, Page, sync_playwright

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "editor-plugins" / "vscode"
INSTALLER = Path(__file__).with_name("get_vscode.sh")
PATIENCE_SECONDS = 120.0

SETTINGS = {
    "chat.commandCenter.enabled": False,
    "editor.accessibilitySupport": "off",
    "editor.fontFamily": "DejaVu Sans Mono",
    "editor.fontSize": 16,
    "editor.minimap.enabled": False,
    "[jsonc]": {"editor.autoClosingBrackets": "never", "editor.autoClosingQuotes": "never"},
    "extensions.autoCheckUpdates": False,
    "extensions.ignoreRecommendations": True,
    "files.autoSave": "afterDelay",
    "files.autoSaveDelay": 50,
    "git.enabled": False,
    "security.workspace.trust.enabled": False,
    "telemetry.telemetryLevel": "off",
    "workbench.colorTheme": "Default Dark Modern",
    "workbench.enableExperiments": False,
    "workbench.layoutControl.enabled": False,
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "window.commandCenter": False,
}
"""Files are saved as soon as they change, so that a test can read what the editor holds."""


def find_code_server() -> str:
    """One installed into the user's cache."""
    installed = platformdirs.user_cache_path("quickfill") / "vscode" / "code-server"
    if not installed.exists():
        _run(["bash", str(INSTALLER), str(installed.parent)], ROOT)
    return str(installed)


def find_chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    message = "these tests need Chromium: apt-get install chromium"
    pytest.fail(message) if "CI" in os.environ else pytest.skip(message)


def package(folder: Path) -> Path:
    """The extension, checked, tested and packaged by its own command, in a copy of it."""
    copy = folder / "extension"
    shutil.copytree(EXTENSION, copy, ignore=shutil.ignore_patterns("node_modules", "dist", "*.vsix"))
    shutil.copy(ROOT / "LICENSE", folder.parent)
    _run(["npm", "ci", "--no-fund", "--no-audit"], copy)
    _run(["npm", "run", "package"], copy)
    return copy / "quickfill.vsix"


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout[-4000:]}"


class VSCode:
    """A window. Keys are typed as a user types them."""

    def __init__(self, page: Page, workspace: Path, settings: Path, log: Path) -> None:
        self.page = page
        self.workspace = workspace
        self.settings_file = settings
        self.log = log

    def type(self, text: str) -> None:
        self.page.keyboard.type(text, delay=20)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def command(self, title: str) -> None:
        """Run a command from the palette."""
        self.press("F1")
        box = self.page.locator(".quick-input-widget input[aria-controls]")
        box.wait_for()
        box.fill(f">{title}")
        row = self.page.locator(".quick-input-list .monaco-list-row").filter(has_text=title).first
        row.wait_for()
        self.press("Enter")

    def wait_for(self, condition: Callable[[], Any], what: str) -> Any:
        """Until `condition` is met; fails with a picture of the window otherwise."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            if result := condition():
                return result
            self.page.wait_for_timeout(50)
        picture = self.workspace.parent / "failure.png"
        self.page.screenshot(path=picture)
        pytest.fail(f"{what} did not happen within {PATIENCE_SECONDS:g} s; see {picture}\n{self.screen}")

    @property
    def screen(self) -> str:
        return self.page.locator("body").inner_text().replace("\N{NO-BREAK SPACE}", " ")

    def set(self, **settings: Any) -> None:
        """Write the user's settings."""
        named = {f"quickfill.{name}": value for name, value in settings.items()}
        self.settings_file.write_text(json.dumps(SETTINGS | named, indent=2), encoding="utf-8")


@contextmanager
def vscode(folder: Path, vsix: Path, workspace: Path, environment: dict[str, str], settings: dict[str, Any]) -> Iterator[VSCode]:
    """Open a folder in a VS Code that has the extension and nothing else."""
    program, data, extensions = find_code_server(), folder / "data", folder / "extensions"
    common = ["--user-data-dir", str(data), "--extensions-dir", str(extensions), "--config", str(folder / "config.yaml")]
    (folder / "config.yaml").write_text("auth: none\ncert: false\n", encoding="utf-8")
    _run([program, *common, "--install-extension", str(vsix)], folder)
    user = data / "User"
    user.mkdir(parents=True, exist_ok=True)
    log = folder / "code-server.log"
    arguments = ["--bind-addr", "127.0.0.1:0", "--disable-telemetry", "--disable-update-check"]
    with (
        log.open("w", encoding="utf-8") as output,
        subprocess.Popen(
            [program, *common, *arguments], stdout=output, stderr=subprocess.STDOUT, env=os.environ | environment
        ) as server,
    ):
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
                page = browser.new_page(viewport={"width": 1100, "height": 700}, device_scale_factor=1.5)
                page.set_default_timeout(PATIENCE_SECONDS * 1000)
                window = VSCode(page, workspace, user / "settings.json", log)
                window.set(**settings)
                page.goto(f"{_address(log, server)}?folder={workspace}")
                page.locator(".statusbar").wait_for()
                yield window
                browser.close()
        finally:
            server.terminate()


def _address(log: Path, server: subprocess.Popen[bytes]) -> str:
    """Where code-server listens, as it says itself."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and server.poll() is None:
        if found := re.search(r"listening on (http://\S+)", log.read_text(encoding="utf-8")):
            return found[1]
        time.sleep(0.05)
    pytest.fail(f"code-server does not start:\n{log.read_text(encoding='utf-8')}")
