"""Draws the picture of Neovim from a real one in a terminal: `python -m docs.make_neovim_picture`.

Writes `docs/pictures/neovim.svg`: ghost text while typing, above a next edit after a parameter was renamed.
"""

from __future__ import annotations

import io
import json
import shlex
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from docs.make_pictures import TERMINAL
from tests.e2e.neovim import PLUGIN, find_neovim, quickfill_command
from tests.e2e.terminal import Terminal, terminal

PICTURE = Path(__file__).parent / "pictures" / "neovim.svg"
WIDTH = 92

FILE = """class Basket:
    def __init__(self):
        self.items = []

    def add(self, item):
        self.items.append(item)

    def remove(self, item):
"""

SETUP = """
vim.opt.runtimepath:append([[{plugin}]])
vim.o.termguicolors, vim.o.number, vim.o.laststatus = true, true, 0
vim.o.ruler, vim.o.showcmd = false, false
vim.cmd.syntax("on")
vim.cmd.highlight("Normal guibg=NONE")
require("quickfill").setup({{
  cmd = vim.json.decode([=[{command}]=]),
  settings = {{ gate = 0.0, budgetMs = 60000, engine = "in-process" }},
}})
vim.api.nvim_create_autocmd("User", {{
  pattern = "QuickfillStatus",
  callback = function(event) print("server is " .. event.data.state) end,
}})
"""


def shot(editor: Terminal, lines: int) -> list[str]:
    """The first lines of the screen, with the codes of their colours."""
    return editor.coloured_screen.split("\n")[:lines]


def leave_insert_mode(editor: Terminal) -> None:
    editor.wait_for("-- INSERT --")
    editor.press("Escape")
    editor.wait_until(lambda screen: "-- INSERT --" not in screen, "normal mode")


def shots(folder: Path) -> list[str]:
    file, configuration = folder / "basket.py", folder / "init.lua"
    file.write_text(FILE, encoding="utf-8")
    configuration.write_text(SETUP.format(plugin=PLUGIN, command=json.dumps(quickfill_command())), encoding="utf-8")
    nvim, socket = find_neovim(), str(folder / "socket")
    server = [
        nvim,
        "--headless",
        "--listen",
        socket,
        "-n",
        "-i",
        "NONE",
        "--clean",
        "-u",
        str(configuration),
        str(file),
    ]
    # Two processes, since one that was not installed by the system's own means cannot start the other itself.
    script = f"{shlex.join(server)} & until [ -S {socket} ]; do sleep 0.1; done; {nvim} --server {socket} --remote-ui"
    environment = {"HOME": str(folder), "XDG_STATE_HOME": str(folder), "COLORTERM": "truecolor"}
    with terminal(["sh", "-c", script], folder, environment) as editor:
        editor.wait_for("class Basket", "server is ready")
        editor.type("Goself.items.remove(")
        editor.wait_for("self.items.remove(item)")
        first = shot(editor, 9)
        editor.press("Tab")
        leave_insert_mode(editor)
        editor.type("5G0f,wciwfruit")
        leave_insert_mode(editor)
        editor.wait_for("itemfruit")
        return [*first, "", *shot(editor, 9)]


def main() -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        content = Text.from_ansi("\n".join(shots(Path(folder))))
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(content)
    PICTURE.write_text(
        console.export_svg(title="nvim basket.py", code_format=TERMINAL, unique_id="neovim"), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
