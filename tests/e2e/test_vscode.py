"""A user of VS Code types and sees, takes and fills: the packaged extension, the server, the embedded model.

All tests share one window, and each has a file of its own. Screenshots are kept in the folder that QUICKFILL_PICTURES
names.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from coder.installation import ADVICE
from tests.cache_home import cache_home
from tests.e2e.stack import STACK
from tests.e2e.vscode import STATUS, VSCode, package, vscode

pytestmark = pytest.mark.slow

RENAME = """def total(prices):
    count = 0
    for price in prices:
        count += price
    return count
"""

PRICES = """def price(item):
    return item.cost
"""

BASKET = """from prices import price


def total(items):
    return sum(price(item) for item in items)
"""

FILES = {
    "ghost.py": STACK,
    "parts.py": STACK,
    "paused.py": STACK,
    "holes.py": STACK + "        return len(<fill>) == <fill>\n",
    "canvas.py": STACK + "        return len(<fill>) == 0\n",
    "rename.py": RENAME,
    "prices.py": PRICES,
    "basket.py": BASKET,
}

SETTINGS: dict[str, object] = {
    "engine": "in-process",
    "gate": 0.0,
    "budgetMs": 60_000,
    "editBudgetMs": 600_000,
    "index": False,
}
"""Every suggestion is shown, however unsure and late it is, and the same one each time."""

MASK = "░"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(os.environ.get("QUICKFILL_PICTURES") or tmp_path_factory.mktemp("pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Iterator[VSCode]:
    """A project whose environment has the server, as an installation leaves it."""
    folder = tmp_path_factory.mktemp("vscode")
    project = folder / "project"
    scripts = project / ".venv" / "bin"
    scripts.mkdir(parents=True)
    (scripts / "quickfill").symlink_to(Path(sys.executable).with_name("quickfill"))
    for name, text in FILES.items():
        (project / name).write_text(text, encoding="utf-8")
    environment = {"XDG_CACHE_HOME": cache_home(folder / "cache"), "XDG_STATE_HOME": str(folder / "state")}
    vsix = package(tmp_path_factory.mktemp("package"))
    with vscode(folder, vsix, project, environment, SETTINGS | {"nextEdit": True}, pictures) as window:
        yield window


@pytest.fixture(autouse=True)
def ready(window: VSCode) -> None:
    window.wait_for(lambda: window.status == "Quickfill: ready", "a ready server")


def ghost_text(window: VSCode) -> str:
    return window.wait_for(lambda: window.ghost_text, "ghost text")


def line_of(window: VSCode, beginning: str) -> str:
    """The line in sight that begins so; empty if there is none."""
    return next((line for line in window.lines if line.strip().startswith(beginning)), "")


def test_ghost_text_appears_while_typing_and_tab_accepts_it(window: VSCode):
    window.open("ghost.py")
    window.type("        return len(")
    ghost_text(window)
    shown = line_of(window, "return len(")
    window.picture("ghost-text")
    window.press("Tab")
    window.wait_for(lambda: window.saved("ghost.py").endswith(shown), "accepting")
    assert not window.ghost_text


def test_a_word_and_a_line_are_accepted_and_the_rest_stays_in_sight(window: VSCode):
    window.open("parts.py")
    window.type("        return ")
    ghost = ghost_text(window)
    before = window.saved("parts.py")
    window.press("Control+ArrowRight")
    window.wait_for(lambda: len(window.saved("parts.py")) > len(before), "accepting a word")
    word = window.saved("parts.py").removeprefix(before)
    assert ghost.startswith(word) and word.isidentifier()
    window.wait_for(lambda: window.ghost_text == ghost.removeprefix(word), "the rest")
    window.press("Control+ArrowDown")
    window.wait_for(lambda: window.saved("parts.py") == before + ghost, "accepting a line")


def test_pausing_hides_what_nobody_asked_for(window: VSCode):
    window.open("paused.py")
    window.page.locator(STATUS).click()
    window.page.locator(".quick-input-list").get_by_text("Pause suggestions").wait_for()
    window.picture("menu")
    window.page.locator(".quick-input-list").get_by_text("Pause suggestions").click()
    window.wait_for(lambda: window.status == "Quickfill: paused", "pausing")
    window.page.locator(".editor-instance").click()
    window.press("Control+End")
    window.type("        return len(")
    window.wait_for(lambda: "return len(" in window.saved("paused.py"), "typing")
    assert not window.ghost_text
    window.press("Alt+\\")
    assert ghost_text(window)
    window.command("Quickfill: Resume Suggestions")
    window.wait_for(lambda: window.status == "Quickfill: ready", "going on")


def test_pausing_for_a_time_says_how_long(window: VSCode):
    window.command("Quickfill: Pause Suggestions for a Time…")
    window.page.locator(".quick-input-list").get_by_text("10 minutes").click()
    window.wait_for(lambda: window.status == "Quickfill: paused for 10 min", "pausing")
    window.command("Quickfill: Resume Suggestions")
    window.wait_for(lambda: window.status == "Quickfill: ready", "going on")


def test_two_holes_are_filled_and_one_undo_takes_them_back(window: VSCode):
    window.open("holes.py")
    window.picture("fill-before")
    window.press("Alt+i", "f")
    window.wait_for(lambda: "<fill>" not in window.saved("holes.py"), "filling")
    start, between, end = FILES["holes.py"].split("<fill>")
    filled = window.saved("holes.py")
    assert filled.startswith(start) and between in filled and filled.endswith(end)
    window.wait_for(lambda: "<fill>" not in "".join(window.lines), "the end of the canvas")
    window.picture("fill")
    window.press("Control+z")
    # Not what is saved: an undo that comes while the editor still saves brings back what it takes for saved already.
    window.wait_for(lambda: "".join(window.lines).count("<fill>") == FILES["holes.py"].count("<fill>"), "undoing")


def test_the_next_edit_is_shown_and_tab_accepts_it(window: VSCode):
    window.open("rename.py")
    window.press("Control+Home", "ArrowDown", "End", "Control+ArrowLeft", "Control+ArrowLeft", "Control+ArrowLeft")
    window.press("Control+Shift+ArrowRight")
    window.type("amount")
    window.wait_for(lambda: "amount" in line_of(window, "count"), "the next edit")
    window.picture("next-edit")
    window.press("Tab")
    window.wait_for(lambda: "amount += price" in window.saved("rename.py"), "accepting")
    window.wait_for(lambda: "amount" in line_of(window, "return count"), "the edit after it")
    window.press("Escape")
    window.wait_for(lambda: line_of(window, "return") == "    return count", "dismissing")
    window.press("Control+End", "Tab")
    window.wait_for(lambda: window.saved("rename.py").endswith("    return count\n    "), "an ordinary tab")


def test_the_next_edit_may_be_in_another_file_that_is_open(window: VSCode):
    # Not by Tab, which takes ghost text where there is some.
    window.open("basket.py")
    window.open("prices.py")
    window.press("Control+Home", *["ArrowRight"] * len("def "), "Control+Shift+ArrowRight")
    window.type("cost_of")
    window.wait_for(lambda: "line 1 of basket.py" in line_of(window, "def cost_of"), "where it is")
    window.picture("next-edit-elsewhere")
    window.press("Alt+i", "n")
    window.focus("basket.py")
    window.wait_for(lambda: "cost_of" in line_of(window, "from prices"), "the import")
    window.press("Alt+i", "n")
    window.wait_for(lambda: "import cost_of\n" in window.saved("basket.py"), "its change")
    window.wait_for(lambda: "cost_of" in line_of(window, "return"), "the use")
    window.press("Alt+i", "n")
    window.wait_for(lambda: "sum(cost_of(item)" in window.saved("basket.py"), "its change")


def test_the_canvas_is_drawn_while_it_is_denoised(window: VSCode):
    window.setting("denoising").locator(".setting-value-checkbox").click()
    window.wait_for(lambda: '"quickfill.denoising": true' in window.user_settings.read_text("utf-8"), "the setting")
    window.picture("settings")
    window.command("View: Close Editor")
    window.open("canvas.py")
    seen = window.watch()
    window.press("Alt+i", "f")
    window.wait_for(lambda: MASK in seen(), "a canvas in sight")
    window.picture("denoising")
    window.wait_for(lambda: "<fill>" not in window.saved("canvas.py"), "filling")
    window.wait_for(lambda: MASK not in "".join(window.lines), "the end of the canvas")


def test_the_walkthrough_shows_how_to_start(window: VSCode):
    window.command("Quickfill: Get Started")
    window.page.get_by_text("Install the server", exact=True).first.wait_for()
    window.picture("walkthrough")
    window.command("View: Close Editor")


def test_the_doctor_shows_its_page(window: VSCode):
    window.command("Quickfill: Doctor")
    window.wait_for(lambda: any("versions" in line for line in window.lines), "the page")
    window.command("View: Close Editor")


def test_a_server_that_is_missing_is_said_with_what_to_do(window: VSCode):
    path = window.setting("path", "Workspace").locator("input")
    path.fill("/nowhere/quickfill")
    window.wait_for(lambda: ADVICE["command"] in window.messages, "the message")
    window.wait_for(lambda: "not installed" in window.status, "the status")
    window.picture("missing")
    path.fill("")
    window.wait_for(lambda: window.status == "Quickfill: ready", "a server again")
