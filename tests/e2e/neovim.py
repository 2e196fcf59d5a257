"""A real Neovim without a screen, with the plugin and a server of ours, driven by keys."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pynvim
import pytest

from tests.e2e.installed import find_editor, output_of

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "editor-plugins" / "nvim"
OLDEST = (0, 12)
PATIENCE_SECONDS = 60.0


def find_neovim() -> str:
    return find_editor("nvim", lambda program: _version(program) >= OLDEST)


def _version(program: str) -> tuple[int, ...]:
    first = output_of(program, "--version").split("\n")[0].removeprefix("NVIM v")
    return tuple(int(part) for part in first.split("-")[0].split(".") if part.isdecimal())


class Neovim:
    """A running editor. Keys are typed as a user types them; what the user would see is read back."""

    def __init__(self, nvim: pynvim.Nvim) -> None:
        self.nvim = nvim

    def type(self, keys: str) -> None:
        """Type keys, in Vim's notation; `<` is a key of its own only as `<lt>`."""
        self.nvim.input(keys)

    def lua(self, code: str, *arguments: Any) -> Any:
        return self.nvim.exec_lua(code, *arguments)

    @property
    def text(self) -> str:
        return "\n".join(self.nvim.current.buffer[:])

    @property
    def cursor(self) -> tuple[int, int]:
        """Line and column, both from 0, the column in bytes."""
        row, column = self.nvim.current.window.cursor
        return row - 1, column

    @property
    def messages(self) -> str:
        return self.nvim.api.exec2("messages", {"output": True})["output"]

    def virtual_text(self, namespace: str) -> str:
        """What the extmarks of a namespace show, lines joined."""
        number = self.nvim.api.create_namespace(namespace)
        shown = []
        for _, _, _, details in self.nvim.api.buf_get_extmarks(0, number, 0, -1, {"details": True}):
            lines = [details.get("virt_text", []), *details.get("virt_lines", [])]
            shown.append("\n".join("".join(chunk[0] for chunk in line) for line in lines))
        return "\n".join(shown)

    @property
    def ghost_text(self) -> str:
        return self.virtual_text("nvim.lsp.inline_completion")

    def wait_for(self, condition: Callable[[], Any], what: str) -> Any:
        """Until `condition` is met; fails with the editor's messages otherwise."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            if result := condition():
                return result
            time.sleep(0.02)
        pytest.fail(f"{what} did not happen within {PATIENCE_SECONDS:g} s\n{self.messages}\n{self.text}")

    def wait_until_ready(self) -> None:
        """Until the server has loaded its model."""
        self.wait_for(
            lambda: self.lua("return (require('quickfill.server').status() or {}).state") == "ready", "a ready server"
        )


@contextmanager
def neovim(file: Path, setup: str, environment: dict[str, str]) -> Iterator[Neovim]:
    """Open a file in a Neovim that knows nothing but the plugin, set up by the Lua code `setup`."""
    configuration = file.parent / "init.lua"
    configuration.write_text(f"vim.opt.runtimepath:append({str(PLUGIN)!r})\n{setup}\n", encoding="utf-8")
    command = [find_neovim(), "--embed", "--headless", "-n", "-i", "NONE", "--clean", "-u", str(configuration)]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        nvim = pynvim.attach("child", argv=[*command, str(file)])
    try:
        editor = Neovim(nvim)
        editor.wait_for(lambda: nvim.vvars["vim_did_enter"], "start")
        yield editor
    finally:
        try:
            nvim.command("qall!", async_=True)
        finally:
            nvim.close()


def quickfill_command() -> list[str]:
    """How to start the server that belongs to the Python that runs the tests."""
    return [str(Path(sys.executable).with_name("quickfill")), "lsp"]
