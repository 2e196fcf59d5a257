"""A user of Helix takes suggestions from the completion menu, and code actions: the configuration that is offered, the
server and the embedded model, in a terminal."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.installed import find_editor, output_of
from tests.e2e.terminal import Terminal, terminal

pytestmark = pytest.mark.slow

CONFIGURATION = Path(__file__).parents[2] / "editor-plugins" / "helix" / "languages.toml"

FILE = """class Stack:
    def __init__(self):
        self.items = []

    def push(self, item):
        self.items.append(item)

    def size(self):
        return len(<fill>)

    def is_empty(self):
        return self.items
"""

SETTINGS = 'config = { gate = 0.0, budgetMs = 60000, engine = "in-process" }'
"""Every suggestion is shown, however unsure and late it is."""

OFFERED = re.compile(r"(Quickfill|Ruff): (.*\w)")

MENU_ENTRY = re.compile(r" (\S+(?: \S+)*) +text$", re.MULTILINE)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "project" / "stack.py"
    path.parent.mkdir()
    path.write_text(FILE, encoding="utf-8")
    return path


@pytest.fixture
def helix(file: Path, tmp_path: Path) -> Iterator[Terminal]:
    """Helix with the configuration that is offered, and the server that belongs to the Python that runs the tests."""
    program = find_editor("hx", lambda candidate: output_of(candidate, "--version").startswith("helix 25"))
    configuration = CONFIGURATION.read_text(encoding="utf-8")
    assert "config = {}" in configuration
    (tmp_path / "config" / "helix").mkdir(parents=True)
    (tmp_path / "config" / "helix" / "languages.toml").write_text(
        configuration.replace("config = {}", SETTINGS), encoding="utf-8"
    )
    # One request, when the test asks for it, so that no later answer takes the place of what is chosen.
    (tmp_path / "config" / "helix" / "config.toml").write_text("[editor]\nauto-completion = false\n", encoding="utf-8")
    folders = {f"XDG_{kind.upper()}_HOME": str(tmp_path / kind) for kind in ("config", "cache", "state", "data")}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with terminal([program, file.name], file.parent, folders | {"HOME": str(tmp_path), "PATH": path}) as helix:
        helix.wait_for("class Stack", "NOR")
        yield helix


def save(helix: Terminal) -> None:
    helix.press("Escape")
    helix.wait_for("NOR")
    helix.type(":w")
    helix.press("Enter")
    helix.wait_for("written")


def test_a_code_action_fills_a_hole_and_the_menu_completes_a_line(helix, file):
    helix.type("/<fill>")
    helix.press("Enter")
    helix.wait_until(lambda screen: "Fill the hole" in screen, "the code actions", again=lambda: helix.type(" a"))
    offered = [action for _, action in OFFERED.findall(helix.screen)]
    helix.press(*["Down"] * offered.index("Fill the hole"), "Enter")
    helix.wait_until(lambda screen: "<fill>" not in screen, "filling")
    save(helix)
    start, end = FILE.split("<fill>")
    text = file.read_text(encoding="utf-8")
    assert text.startswith(start)
    assert text.endswith(end)

    helix.type("georeturn len(")
    helix.wait_for("return len()", "INS")
    helix.press("C-x")
    entry = MENU_ENTRY.search(helix.wait_until(MENU_ENTRY.search, "the completion menu"))
    assert entry
    helix.press("C-n")
    helix.wait_for(f"return len({entry.group(1)}")
    helix.press("Enter")
    helix.wait_until(lambda screen: not MENU_ENTRY.search(screen), "the end of the menu")
    save(helix)
    assert file.read_text(encoding="utf-8").removeprefix(text).startswith(f"        return len({entry.group(1)}")
