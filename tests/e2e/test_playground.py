"""A user of the playground, in a real browser: types, makes holes, watches them being filled, changes their mind."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from coder.model.checkpoint.opening import open_checkpoint
from coder.serve import playground
from tests.e2e.browser import chromium
from tests.serve.running_server import RunningServer, running

pytestmark = pytest.mark.slow

PATIENCE = 120_000.0
"""Milliseconds for anything to happen before a test fails."""

ABORTED = "net::ERR_FAILED"
"""What a browser says of a request that a test has ended itself."""

PICTURES = os.environ.get("QUICKFILL_PICTURES")
"""A folder for what the browser shows, to be looked at."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running("embedded", tmp_path_factory.mktemp("cache")) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(params=["monaco", "plain"])
def page(request: pytest.FixtureRequest, browser: Browser, server: RunningServer) -> Iterator[Page]:
    """The page, connected, which complains of nothing and asks nobody else for anything."""
    if request.param == "monaco":
        build_monaco()
    page = browser.new_page(viewport={"width": 1200, "height": 760})
    page.set_default_timeout(PATIENCE)
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if is_complaint(message) else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "request", lambda asked: None if asked.url.startswith((server.address, "data:")) else errors.append(asked.url)
    )
    page.goto(f"{server.address}/?editor={request.param}")
    page.wait_for_selector("html[data-ready=true]")
    yield page
    page.close()
    assert errors == []


def is_complaint(message: ConsoleMessage) -> bool:
    return message.type == "error" and ABORTED not in message.text


def build_monaco() -> None:
    if not (playground.MONACO / "monaco.js").is_file():
        if shutil.which("npm") is None:
            pytest.skip("the editor is not built, and npm is not there to build it")
        subprocess.run(["bash", str(playground.FOLDER / "build.sh")], check=True)


def text(page: Page) -> str:
    """What stands in the editor."""
    field = page.locator("textarea.plain")
    if field.count():
        return field.input_value()
    return "\n".join(page.locator(".view-line").all_inner_texts()).replace("\xa0", " ")


def expect_text(page: Page, holds: Callable[[str], bool]) -> None:
    """Wait for the text to be so: an editor shows in the next frame what has happened in this one."""
    until = time.monotonic() + PATIENCE / 1000.0
    while not holds(shown := text(page)):
        assert time.monotonic() < until, shown
        page.wait_for_timeout(20)


def write(page: Page, code: str) -> None:
    """Replace everything, as by typing, but without what an editor adds to it."""
    page.locator("#editor textarea, #editor [role=textbox]").first.focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(code)


def choose_example(page: Page, name: str) -> None:
    page.get_by_role("combobox", name="Example").select_option(name)


def expect_filled(page: Page, what: str) -> None:
    """Wait for the result, which comes with its time."""
    expect(page.locator("#status.done")).to_have_text(re.compile(rf"^{what} in \d+\.\d s$"), timeout=PATIENCE)


def height_of_editor(page: Page) -> float:
    return page.evaluate("document.querySelector('#editor').getBoundingClientRect().height")


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png")


def test_two_holes_are_denoised_before_one_s_eyes(page: Page):
    expect(page.locator("#model")).to_contain_text("quickfill")
    choose_example(page, "Two holes")
    editor = "plain" if page.locator("textarea.plain").count() else "monaco"
    expect_text(page, lambda code: code.count("<fill>") == 2)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#editor .masked")
    page.wait_for_selector("#editor [class*=confidence-]")
    if PICTURES:
        page.wait_for_selector("#editor [class*=confidence-] >> nth=4")
    picture(page, f"{editor}-denoising")
    expect_filled(page, "2 holes are filled")
    expect_text(page, lambda code: "self.items.append(item)" in code and "return self.items.pop()" in code)
    assert "<fill>" not in text(page)
    expect(page.locator("#figures")).to_be_hidden()
    page.get_by_text("Statistics").click()
    assert int(page.inner_text("#figure-tokens")) > 8 and int(page.inner_text("#figure-passes")) > 4
    assert page.inner_text("#figure-time").endswith(" ms") and page.inner_text("#figure-confidence").endswith(" %")
    assert page.inner_text("#method").startswith("threshold(0.9), canvas 8")
    picture(page, f"{editor}-filled")


def test_a_whole_function_is_the_first_thing_to_try(page: Page):
    expect(page.get_by_role("combobox", name="Example")).to_have_value("0")
    expect(page.locator("#lines-value")).to_have_text("5")
    page.keyboard.press("Control+Enter")
    expect_filled(page, "the hole is filled")
    expect_text(page, lambda code: "<fill>" not in code)
    written = text(page).rstrip("\n").partition('"""Return the greatest of the heights."""\n')[2]
    assert len(written.splitlines()) >= 5
    picture(page, f"{'plain' if page.locator('textarea.plain').count() else 'monaco'}-function")


def test_what_an_example_asks_for_is_not_asked_of_other_text(page: Page):
    lines = page.get_by_role("slider", name="Fewest lines of a hole")
    expect(lines).to_have_value("5")
    write(page, "total = <fill>")
    expect(lines).to_have_value("1")
    lines.press("ArrowRight")
    write(page, "mean = <fill>")
    expect(lines).to_have_value("2")


def test_holes_that_are_filled_in_turn_look_so(page: Page):
    """The first one is long, so that the second one is seen to wait."""
    long = {"policy": "fixed:16", "canvas_size": 16, "max_tokens": 400, "constraints": {"min_characters": 10_000}}
    page.route("**/fill", lambda route: route.continue_(post_data=(route.request.post_data_json or {}) | long))
    write(page, "first = <fill>\n# the second one\ndef last():\n    <fill>\n")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#editor .writing")
    expect(page.locator("#status")).to_have_text("writing hole 1 of 2 …")
    expect(page.locator("#editor .hole.waiting")).to_have_text("<fill>")
    page.keyboard.press("Escape")
    expect(page.locator("#status")).to_have_text("cancelled; the text is as it was", timeout=PATIENCE)
    expect(page.locator("#editor .writing, #editor .waiting")).to_have_count(0)


def test_the_code_is_copied_by_a_button(page: Page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    write(page, "copied = True")
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#status")).to_have_text("the code is copied")
    assert page.evaluate("navigator.clipboard.readText()") == "copied = True"


def test_a_browser_without_a_clipboard_for_the_page_copies_too(page: Page):
    """As over HTTP from another machine."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("window.itsClipboard = navigator.clipboard")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true })")
    write(page, "copied = 'by hand'")
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#status")).to_have_text("the code is copied")
    assert page.evaluate("itsClipboard.readText()") == "copied = 'by hand'"


def test_the_editor_grows_with_the_text_and_leaves_the_result_in_sight(page: Page):
    write(page, "line\n" * 12)
    page.wait_for_function("document.querySelector('#editor').getBoundingClientRect().height > 250")
    twelve_lines = height_of_editor(page)
    write(page, "line\n" * 18)
    page.wait_for_function(f"document.querySelector('#editor').getBoundingClientRect().height > {twelve_lines + 100}")
    write(page, "line\n" * 400)
    page.wait_for_function("document.querySelector('#editor').getBoundingClientRect().height > 450")
    expect(page.get_by_role("button", name="Copy")).to_be_in_viewport()
    expect(page.get_by_role("button", name="Fill")).to_be_in_viewport()
    write(page, "line")
    page.wait_for_function(f"document.querySelector('#editor').getBoundingClientRect().height < {twelve_lines}")


def test_holes_are_made_by_keyboard_and_filled_as_the_controls_say(page: Page):
    write(page, "def add(a, b): return ")
    page.keyboard.press("Alt+h")
    expect_text(page, lambda code: code.rstrip() == "def add(a, b): return <fill>")
    page.get_by_role("combobox", name="Policy").select_option("verified")
    expect(page.get_by_role("slider", name="Least confidence")).to_be_hidden()
    canvas = page.get_by_role("slider", name="Canvas, slots")
    canvas.press("Home")
    smallest = min(open_checkpoint("embedded").config.block_sizes)
    expect(page.locator("#canvas-value")).to_have_text(str(smallest))
    page.get_by_role("button", name="Fill").click()
    expect_filled(page, "the hole is filled")
    expect_text(page, lambda code: code.rstrip() == "def add(a, b): return a + b")
    page.get_by_text("Statistics").click()
    assert f"canvas {smallest}" in page.inner_text("#method") or "draft" in page.inner_text("#method")


def test_without_a_hole_the_text_goes_on_at_the_cursor(page: Page):
    write(page, "for index, name in enumerate(names): print(")
    page.keyboard.press("Control+Enter")
    expect_filled(page, "the hole is filled")
    expect_text(page, lambda code: code.startswith("for index, name in enumerate(names): print("))


def test_cancelling_leaves_the_text_as_it_was(page: Page):
    """What is asked for is more than could be written meanwhile."""
    long = {"policy": "fixed:16", "canvas_size": 16, "max_tokens": 400, "constraints": {"min_characters": 10_000}}
    page.route("**/fill", lambda route: route.continue_(post_data=(route.request.post_data_json or {}) | long))
    choose_example(page, "Two holes")
    expect_text(page, lambda code: code.count("<fill>") == 2)
    before = text(page)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#editor .masked")
    page.keyboard.press("Escape")
    expect(page.locator("#status")).to_have_text("cancelled; the text is as it was", timeout=PATIENCE)
    expect_text(page, lambda code: code == before)
    expect(page.get_by_role("button", name="Cancel")).to_be_disabled()
    expect(page.get_by_role("button", name="Fill")).to_be_enabled()


def test_what_is_wrong_is_said_and_nothing_is_lost(page: Page, server: RunningServer):
    page.route("**/fill", lambda route: route.abort())
    choose_example(page, "Two holes")
    expect_text(page, lambda code: code.count("<fill>") == 2)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#status.wrong")).to_have_text("the server does not answer", timeout=PATIENCE)
    expect_text(page, lambda code: code.count("<fill>") == 2)


def test_it_is_legible_in_the_dark_and_on_a_narrow_screen(page: Page):
    editor = "plain" if page.locator("textarea.plain").count() else "monaco"
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.get_by_role("combobox", name="Colours").select_option("dark")
    assert page.evaluate(background) != light
    picture(page, f"{editor}-dark")
    page.set_viewport_size({"width": 390, "height": 800})
    picture(page, f"{editor}-narrow")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_every_control_has_a_name_and_is_reached_by_keyboard(page: Page):
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, select, input")]
            .filter((control) => !control.labels?.length && !control.textContent.trim() && !control.ariaLabel)
            .filter((control) => !control.closest(".monaco-editor"))
            .map((control) => control.id)"""
    )
    assert unnamed == []
    page.get_by_role("link", name="API").focus()
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    assert reached[:5] == ["theme", "fill", "hole", "example", "language"]
    assert page.evaluate("document.activeElement.closest('#editor') !== null")


def test_undoing_brings_the_holes_back(page: Page):
    if page.locator("textarea.plain").count():
        return
    choose_example(page, "Two holes")
    page.keyboard.press("Control+Enter")
    expect_filled(page, "2 holes are filled")
    page.keyboard.press("Control+z")
    expect_text(page, lambda code: code.count("<fill>") == 2)
