"""Edits in Neovim that the user sees before they are made: rewrites, and next edits out of sight. The plugin with a
server whose engine writes what it is told to."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.neovim import ROOT, Neovim, neovim

pytestmark = pytest.mark.slow

SETUP = "require('quickfill').setup({{ cmd = vim.json.decode([=[{command}]=]) }})"

MEAN = "def mean(values):\n    return sum(values) / len(values)\n\n\nprint(mean([1, 2]))"
FAR = "\n".join(["def total(prices):", *(f"    x_{number} = {number}" for number in range(200)), "    return prices"])


def started(folder: Path, *flags: str) -> tuple[str, dict[str, str]]:
    """The plugin's setup with a server that writes what it is told to, and the environment of both."""
    command = [sys.executable, "-m", "tests.lsp.scripted", *flags]
    environment = {name: str(folder) for name in ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")}
    return SETUP.format(command=json.dumps(command)), environment | {"PYTHONPATH": str(ROOT)}


@pytest.fixture
def editor(tmp_path: Path) -> Iterator[Neovim]:
    file = tmp_path / "mean.py"
    file.write_text(MEAN + "\n", encoding="utf-8")
    with neovim(file, *started(tmp_path)) as editor:
        editor.wait_until_ready()
        yield editor


def floating(editor: Neovim) -> bool:
    return editor.lua("return vim.api.nvim_win_get_config(0).relative ~= ''")


def ask_for_rewrite(editor: Neovim) -> None:
    editor.type(":2Quickfill edit return 0<CR>")
    editor.wait_for(lambda: floating(editor), "the preview")


def only_buffer(editor: Neovim) -> str:
    """The text of the file, whatever window the cursor is in."""
    return editor.lua("return table.concat(vim.api.nvim_buf_get_lines(vim.fn.bufnr('mean.py'), 0, -1, false), '\\n')")


def test_what_comes_late_is_shown_to_who_waits(editor: Neovim):
    editor.type("Golate = ")
    editor.wait_for(lambda: editor.ghost_text == "in time", "ghost text")


def test_a_rewrite_is_seen_before_it_is_made_and_one_undo_takes_it_back(editor: Neovim):
    ask_for_rewrite(editor)
    shown = editor.text.split("\n")
    assert "-    return sum(values) / len(values)" in shown and "+return 0" in shown
    assert editor.lua("return vim.bo.filetype") == "diff"
    assert only_buffer(editor) == MEAN
    editor.type("<CR>")
    rewritten = MEAN.replace("    return sum(values) / len(values)", "return 0")
    editor.wait_for(lambda: editor.text == rewritten, "applying")
    assert not floating(editor)
    editor.type("u")
    editor.wait_for(lambda: editor.text == MEAN, "undoing")


@pytest.mark.parametrize("key", ["q", "<Esc>", ":wincmd p<CR>"])
def test_a_rewrite_that_is_discarded_leaves_the_file_alone(editor: Neovim, key: str):
    ask_for_rewrite(editor)
    editor.type(key)
    editor.wait_for(lambda: not floating(editor) and editor.lua("return #vim.api.nvim_list_wins()") == 1, "closing")
    assert editor.text == MEAN
    assert not editor.lua("return vim.bo.modified")


def test_a_rewrite_of_a_text_that_has_changed_is_not_made(editor: Neovim):
    ask_for_rewrite(editor)
    editor.lua("vim.api.nvim_buf_set_lines(vim.fn.bufnr('mean.py'), 0, 0, false, { '# new' })")
    editor.type("<CR>")
    editor.wait_for(lambda: "changed meanwhile" in editor.messages, "the warning")
    assert editor.text == f"# new\n{MEAN}"


def test_a_rewrite_is_offered_where_the_model_can(editor: Neovim):
    assert editor.lua("return vim.fn.getcompletion('Quickfill e', 'cmdline')") == ["edit"]


def test_a_rewrite_by_a_model_that_cannot_is_neither_offered_nor_made(tmp_path: Path):
    file = tmp_path / "mean.py"
    file.write_text(MEAN + "\n", encoding="utf-8")
    with neovim(file, *started(tmp_path, "unable")) as editor:
        editor.wait_until_ready()
        offered = editor.lua("return vim.fn.getcompletion('Quickfill ', 'cmdline')")
        assert "fill" in offered and "edit" not in offered
        editor.type(":2Quickfill edit return 0<CR>")
        editor.wait_for(lambda: "has not learned to rewrite code" in editor.messages, "the reason")
        assert editor.text == MEAN


def hint(editor: Neovim) -> str:
    return editor.virtual_text("quickfill.off_screen").strip()


def test_a_next_edit_out_of_sight_is_pointed_to_until_it_is_seen(editor: Neovim, tmp_path: Path):
    file = tmp_path / "far.py"
    file.write_text(FAR + "\n", encoding="utf-8")
    editor.nvim.command(f"edit {file}")
    editor.wait_for(lambda: editor.lua("return #vim.lsp.get_clients({ bufnr = 0, name = 'quickfill' }) == 1"), "far.py")
    editor.type("1Gf(lciwcosts<Esc>")
    assert editor.wait_for(lambda: hint(editor), "a hint") == "↓ <Tab>: next edit, line 202"
    editor.type("10j")
    editor.wait_for(lambda: editor.cursor[0] == 10 and "202" in hint(editor), "the hint at the cursor")
    editor.type("G")
    editor.wait_for(lambda: not hint(editor), "the end of the hint where the edit is seen")
    assert "costs" in editor.virtual_text("quickfill.next_edit")
    editor.type("1G")
    editor.wait_for(lambda: "202" in hint(editor), "the hint again")
    editor.type("<Tab>")
    editor.wait_for(lambda: editor.text.endswith("return costs"), "making it")
    assert editor.cursor == (201, len("    return "))
    assert not hint(editor)
