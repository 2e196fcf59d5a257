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
from typing import Any, NoReturn

import platformdirs
import pytest
from playwright.sync_api import Locator, Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "editor-plugins" / "vscode"
INSTALLER = Path(__file__).with_name("get_vscode.sh")
PATIENCE_SECONDS = 120.0
PALETTE_MS = 15_000

SETTINGS = {
    "chat.commandCenter.enabled": False,
    "editor.accessibilitySupport": "off",
    "editor.fontFamily": "DejaVu Sans Mono",
    "editor.fontSize": 16,
    "editor.minimap.enabled": False,
    "editor.quickSuggestions": {"other": "off", "comments": "off", "strings": "off"},
    "editor.suggestOnTriggerCharacters": False,
    "extensions.autoCheckUpdates": False,
    "extensions.ignoreRecommendations": True,
    "files.autoSave": "afterDelay",
    "files.autoSaveDelay": 50,
    "git.enabled": False,
    "security.workspace.trust.enabled": False,
    "telemetry.telemetryLevel": "off",
    "window.commandCenter": False,
    "workbench.colorTheme": "Default Dark Modern",
    "workbench.enableExperiments": False,
    "workbench.layoutControl.enabled": False,
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
}
"""Of the editor itself. Files are saved as soon as they change, so that a test can read what the editor holds."""

STATUS = "[id='quickfill.quickfill.quickfill.status']"
VISIBLE_LINES = """editor => {
    const drawn = (part, pseudo) => {
        const { content } = getComputedStyle(part, pseudo);
        return content.startsWith('"') ? JSON.parse(content) : "";
    };
    const seen = part => getComputedStyle(part).display === "none" ? "" : part.textContent;
    const text = line => [...line.querySelectorAll("span > span")]
        .map(part => drawn(part, "::before") + seen(part) + drawn(part, "::after")).join("");
    return [...editor.querySelectorAll(".view-line")]
        .sort((one, other) => parseFloat(one.style.top) - parseFloat(other.style.top)).map(text);
}"""
"""The text of each line as a user sees it: decorations draw theirs before and after, and hide some."""


class VSCode:
    """A window. Keys are typed as a user types them.

    Args:
        workspace: the folder that is open. user_settings: the file of the user's settings.
        pictures: where screenshots go.
    """

    def __init__(self, page: Page, workspace: Path, user_settings: Path, pictures: Path) -> None:
        self.page = page
        self.workspace = workspace
        self.user_settings = user_settings
        self.pictures = pictures

    def type(self, text: str) -> None:
        self.page.keyboard.type(text, delay=20)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def wait_for(self, condition: Callable[[], Any], what: str) -> Any:
        """Until `condition` is met; fails with a picture of the window otherwise."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            if result := condition():
                return result
            self.page.wait_for_timeout(50)
        self.picture("failure")
        pytest.fail(f"{what} did not happen within {PATIENCE_SECONDS:g} s; see {self.pictures}\n{self.text}")

    def command(self, title: str) -> None:
        """Run a command from the palette, by its whole title."""
        row = ".quick-input-list .monaco-list-row"
        found = self.page.locator(f'{row}[aria-label="{title}"], {row}[aria-label^="{title}, "]').first

        def was_run() -> bool:
            # A page that is still loading takes the focus, and with it the palette.
            self.press("F1")
            try:
                self.page.locator(".quick-input-widget .input").fill(f">{title}", timeout=PALETTE_MS)
                found.click(timeout=PALETTE_MS)
            except PlaywrightTimeoutError:
                return False
            return True

        self.wait_for(was_run, title)

    def open(self, name: str) -> None:
        """Open a file of the workspace and put the cursor at its end."""
        self.page.get_by_role("treeitem", name=name, exact=True).dblclick()
        self.focus(name)
        self.press("Control+End")

    def focus(self, name: str) -> None:
        """Keys are for the text of the file in front, whatever was there before."""
        self.active_tab(name)
        self.page.locator(".monaco-diff-editor").wait_for(state="detached")
        self.editor.locator(".view-line").first.wait_for()
        self.page.locator(".editor-instance .native-edit-context, .editor-instance textarea.inputarea").first.focus()

    def active_tab(self, name: str) -> Locator:
        """The tab, once it is in front."""
        tab = self.page.locator(".tab.active").filter(has_text=name)
        tab.wait_for()
        return tab

    def saved(self, name: str) -> str:
        """What the editor has written of a file, which is never nothing: a file is empty while it is being written."""
        path = self.workspace / name
        return self.wait_for(lambda: path.read_text(encoding="utf-8"), f"writing {name}")

    def setting(self, name: str, scope: str = "") -> Locator:
        """A setting of the extension, on the page of the user's settings or of the scope `Workspace`."""
        named = f"quickfill.{name}"
        page = "Open Workspace Settings" if scope == "Workspace" else "Open Settings (UI)"
        self.command(f"Preferences: {page}")
        self.page.locator(".settings-editor .search-container").wait_for()
        self.press("Control+a")
        self.type(f"@id:{named}")
        found = self.page.locator(f"[data-key='{named}']")
        found.wait_for()
        return found

    @property
    def editor(self) -> Locator:
        """The text of the editor in front; of a difference, its new side."""
        lines = ".lines-content > .view-lines"
        modified = self.page.locator(f".modified-in-monaco-diff-editor {lines}")
        return modified if modified.count() else self.page.locator(f".editor-instance {lines}").first

    @property
    def lines(self) -> list[str]:
        """The lines in sight, with the ghost text and the labels in them."""
        shown = self.editor.evaluate(VISIBLE_LINES) if self.editor.count() else []
        return [line.replace("\N{NO-BREAK SPACE}", " ").replace("\u200c", "") for line in shown]

    def watch(self) -> Callable[[], str]:
        """From now on remember all that is shown in the editor, however short. The result tells what that was."""
        self.editor.evaluate(f"""editor => {{
            window.seen = [];
            const look = () => window.seen.push(({VISIBLE_LINES})(editor).join("\\n"));
            new MutationObserver(look).observe(editor, {{ subtree: true, childList: true, attributes: true }});
        }}""")
        return lambda: "\n\n".join(self.page.evaluate("window.seen"))

    @property
    def ghost_text(self) -> str:
        """All parts of it, in the order of the text."""
        parts = self.page.locator(
            ".ghost-text-decoration, .ghost-text-decoration-preview, .suggest-preview-text .view-line"
        )
        return "".join(parts.all_text_contents()).replace("\N{NO-BREAK SPACE}", " ")

    @property
    def status(self) -> str:
        """What the item in the status bar says to who cannot see it."""
        return self.page.locator(STATUS).get_attribute("aria-label") or ""

    @property
    def messages(self) -> str:
        """The notifications in sight."""
        return "\n".join(self.page.locator(".notification-list-item-message").all_inner_texts())

    @property
    def text(self) -> str:
        return self.page.locator("body").inner_text().replace("\N{NO-BREAK SPACE}", " ")

    def picture(self, name: str) -> None:
        """Keep a screenshot as an artefact of the test run."""
        self.page.screenshot(path=self.pictures / f"{name}.png")


@contextmanager
def vscode(
    folder: Path, vsix: Path, workspace: Path, environment: dict[str, str], settings: dict[str, object], pictures: Path
) -> Iterator[VSCode]:
    """Open a folder in a VS Code that has the extension and nothing else. Its own files are kept in `folder`."""
    program, data = find_code_server(), folder / "data"
    (folder / "config.yaml").write_text("auth: none\ncert: false\n", encoding="utf-8")
    common = [program, "--config", str(folder / "config.yaml"), "--user-data-dir", str(data)]
    common += ["--extensions-dir", str(folder / "extensions")]
    run([*common, "--install-extension", str(vsix)], folder)
    user = data / "User" / "settings.json"
    user.parent.mkdir(parents=True, exist_ok=True)
    named = {f"quickfill.{name}": value for name, value in settings.items()}
    user.write_text(json.dumps(SETTINGS | named), encoding="utf-8")
    log = folder / "code-server.log"
    command = [*common, "--bind-addr", "127.0.0.1:0", "--disable-telemetry", "--disable-update-check"]
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | environment)
    try:
        address = _address(log, server)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1100, "height": 700}, device_scale_factor=1.5)
            page.set_default_timeout(PATIENCE_SECONDS * 1000)
            page.goto(f"{address}?folder={workspace}")
            page.locator(STATUS).wait_for()
            yield VSCode(page, workspace, user, pictures)
            browser.close()
    finally:
        server.terminate()
        server.wait()


def _address(log: Path, server: subprocess.Popen[bytes]) -> str:
    """Where code-server listens, as it says itself."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and server.poll() is None:
        if found := re.search(r"listening on (http://\S+)", log.read_text(encoding="utf-8")):
            return found[1]
        time.sleep(0.05)
    pytest.fail(f"code-server does not start:\n{log.read_text(encoding='utf-8')}")


def package(folder: Path) -> Path:
    """The extension, checked, tested and packaged by its own command, in a copy of it."""
    copy = folder / "editor-plugins" / "vscode"
    shutil.copytree(EXTENSION, copy, ignore=shutil.ignore_patterns("node_modules", "dist", "*.vsix"))
    shutil.copy(ROOT / "LICENSE", folder)
    (folder / "coder").mkdir()
    shutil.copy(ROOT / "coder" / "installation.json", folder / "coder")
    if shutil.which("npm") is None:
        _missing("npm, with node 20 or newer")
    run(["npm", "ci", "--no-fund", "--no-audit"], copy)
    run(["npm", "run", "package"], copy)
    return copy / "quickfill.vsix"


def find_code_server() -> str:
    """One installed into the user's cache."""
    installed = platformdirs.user_cache_path("quickfill") / "vscode" / "code-server"
    if not installed.exists():
        for program in ("npm", "rg", "make", "g++"):
            if shutil.which(program) is None:
                _missing(program)
        run(["bash", str(INSTALLER), str(installed.parent)], ROOT)
    return str(installed)


def find_chromium() -> str:
    found = [path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))]
    return found[0] if found else _missing("Chromium")


def _missing(what: str) -> NoReturn:
    message = f"these tests need {what}"
    if "CI" in os.environ:
        pytest.fail(message)
    pytest.skip(message)


def run(command: list[str], folder: Path) -> None:
    """Run a command that has to succeed."""
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout[-4000:]}"
