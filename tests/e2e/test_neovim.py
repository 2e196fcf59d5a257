"""A user of Neovim types and sees, takes and changes suggestions: the plugin, the server and the embedded model."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from coder.installation import ADVICE
from tests.cache_home import cache_home
from tests.e2e.neovim import PLUGIN, Neovim, neovim, quickfill_command
from tests.e2e.stack import STACK

pytestmark = pytest.mark.slow

SETUP = """
require("quickfill").setup({{
  cmd = vim.json.decode([=[{command}]=]),
  settings = {{ gate = 0.0, budgetMs = 60000, engine = "in-process" }},
  {more}
}})
"""
"""Every suggestion is shown, however unsure and late it is."""

MASK = "░"


def setup(more: str = "") -> str:
    return SETUP.format(command=json.dumps(quickfill_command()), more=more)


def environment_in(folder: Path) -> dict[str, str]:
    return {
        "HOME": str(folder),
        "XDG_CACHE_HOME": cache_home(folder / "cache"),
        "XDG_STATE_HOME": str(folder / "state"),
    }


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return environment_in(tmp_path)


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    file = tmp_path / "stack.py"
    file.write_text(STACK, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def running_neovim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neovim]:
    """One for several tests, since its server takes a while to load the model."""
    folder = tmp_path_factory.mktemp("neovim")
    file = folder / "first.py"
    file.touch()
    with neovim(file, setup(), environment_in(folder)) as editor:
        editor.wait_until_ready()
        yield editor


@pytest.fixture
def editor(running_neovim: Neovim, stack: Path) -> Neovim:
    """With nothing but a file of the test's own, in which nothing was changed yet."""
    running_neovim.type("<C-\\><C-n>")
    running_neovim.wait_for(
        lambda: running_neovim.nvim.api.get_mode() == {"mode": "n", "blocking": False}, "normal mode"
    )
    for command in ("silent! %bwipeout!", f"edit {stack}", "messages clear"):
        running_neovim.nvim.command(command)
    running_neovim.wait_for(
        lambda: running_neovim.lua("return #vim.lsp.get_clients({ bufnr = 0, name = 'quickfill' }) == 1"),
        "a connection",
    )
    return running_neovim


def shown(editor: Neovim) -> str:
    return editor.wait_for(lambda: editor.ghost_text, "ghost text")


def test_ghost_text_appears_while_typing_and_is_accepted(editor):
    editor.type("Goreturn len(")
    ghost = shown(editor)
    before = editor.text
    editor.type("<Tab>")
    editor.wait_for(lambda: editor.text != before, "accepting")
    assert editor.text == before + ghost
    assert editor.cursor == (11, len(editor.text.split("\n")[11]))


def test_tab_is_a_tab_where_nothing_is_suggested(editor):
    editor.type("Go<C-u>")
    before = editor.text
    editor.type("<Tab>")
    editor.wait_for(lambda: editor.text != before, "a tab")
    assert editor.text.removeprefix(before).isspace()


def test_a_word_and_a_line_are_accepted_and_the_rest_stays_in_sight(editor):
    editor.type("Goreturn len(")
    ghost, before = shown(editor), editor.text
    editor.type("<M-w>")
    editor.wait_for(lambda: editor.text != before, "accepting a word")
    word = editor.text.removeprefix(before)
    assert ghost.startswith(word)
    assert word.strip().isidentifier()
    assert shown(editor) == ghost.removeprefix(word)
    editor.type("<M-l>")
    editor.wait_for(lambda: editor.text != before + word, "accepting a line")
    assert editor.text == before + ghost.split("\n")[0]


def test_typing_into_the_ghost_text_keeps_the_rest(editor):
    editor.type("Goreturn len(")
    ghost = shown(editor)
    editor.type(ghost[:3])
    editor.wait_for(lambda: editor.ghost_text == ghost[3:], "the rest of the ghost text")


def ask_for_alternatives(editor: Neovim) -> None:
    """Press the key until there are some: the first answer has what is found within a moment, a later one the rest."""

    count = "return require('quickfill.native').count(vim.api.nvim_get_current_buf())"

    def are_there() -> bool:
        editor.type("<M-]>")
        end = time.monotonic() + 5.0
        while editor.lua(count) < 2 and time.monotonic() < end:
            time.sleep(0.02)
        return editor.lua(count) > 1

    editor.wait_for(are_there, "alternatives")


def test_alternatives_are_asked_for_and_switched(editor):
    editor.type("Goname = ")
    first = shown(editor)
    ask_for_alternatives(editor)
    editor.type("<M-]>")
    second = editor.wait_for(lambda: editor.ghost_text.split(" (2/")[0] != first and editor.ghost_text, "another one")
    assert " (2/" in second
    editor.type("<M-[>")
    editor.wait_for(lambda: editor.ghost_text.startswith(first), "the first one again")


def test_what_is_chosen_stays_chosen_for_a_word(editor):
    editor.type("Goname = ")
    first = shown(editor)
    ask_for_alternatives(editor)
    editor.type("<M-]>")
    second = editor.wait_for(lambda: editor.ghost_text.split(" (2/")[0] != first and editor.ghost_text, "another one")
    second, before = second.split(" (2/")[0], editor.text
    editor.type("<M-w>")
    editor.wait_for(lambda: editor.text != before, "accepting a word")
    word = editor.text.removeprefix(before)
    assert second.startswith(word)
    if rest := second.removeprefix(word):
        assert shown(editor) == rest


def test_a_key_that_contradicts_the_ghost_text_takes_it_away_at_once(editor):
    editor.type("Goname = ")
    shown(editor)
    editor.lua(
        "left = {}; vim.api.nvim_create_autocmd('TextChangedI', { buffer = 0, callback = function()"
        "  local gone = require('quickfill.native').count(vim.api.nvim_get_current_buf()) == 0"
        "  table.insert(left, gone) end })"
    )
    editor.type("~")
    assert editor.wait_for(lambda: editor.lua("return left"), "a change") == [True]
    before = editor.text
    editor.type("<Tab>")
    editor.wait_for(lambda: editor.text != before, "the key")
    assert editor.text.removeprefix(before) in ("\t", " " * 4, " " * 8)


def test_a_dismissed_suggestion_is_gone(editor):
    editor.type("Goreturn len(")
    shown(editor)
    before = editor.text
    editor.type("<M-e>")
    editor.wait_for(lambda: not editor.ghost_text, "dismissing")
    assert editor.text == before


def test_marked_holes_are_filled_and_one_undo_takes_them_back(editor):
    editor.type("Goreturn len(<lt>fill>) == 0<Esc>")
    before = editor.wait_for(lambda: "<fill>) == 0" in editor.text and editor.text, "typing")
    editor.type(":Quickfill fill<CR>")
    editor.wait_for(lambda: "<fill>" not in editor.text, "filling")
    editor.wait_for(lambda: "filled 1 hole in" in editor.messages, "what was done")
    start, end = before.split("<fill>")
    assert editor.text.startswith(start)
    assert editor.text.endswith(end)
    editor.type("u")
    editor.wait_for(lambda: editor.text == before, "undoing")


def test_an_answer_is_not_written_into_a_text_that_has_changed(editor):
    editor.type("Goreturn <lt>fill><Esc>:Quickfill fill<CR>ggO# new<Esc>")
    editor.wait_for(lambda: "changed" in editor.messages, "the warning")
    assert editor.text.startswith("# new\n")
    assert "<fill>" in editor.text


def test_the_server_is_told_where_the_cursor_rests(editor):
    editor.lua(
        "told = {}; local client = vim.lsp.get_clients({ name = 'quickfill' })[1]; local notify = client.notify;"
        "client.notify = function(self, method, params)"
        "  if method == 'quickfill/didRest' then table.insert(told, params.position.line) end"
        "  return notify(self, method, params) end"
    )
    editor.type("3G")
    editor.wait_for(lambda: editor.lua("return told") == [2], "one message")
    editor.type("A  # more<Esc>")
    editor.wait_for(lambda: editor.lua("return told")[-1:] == [2] and len(editor.lua("return told")) > 1, "another")


def test_the_canvas_is_drawn_while_it_is_denoised(stack, environment):
    with neovim(stack, setup("denoise = true,"), environment) as editor:
        editor.wait_until_ready()
        editor.lua(
            "seen = {}; local show = require('quickfill.denoising').show;"
            "require('quickfill.denoising').show = function(update) show(update); table.insert(seen, update.text) end"
        )
        editor.type("Goreturn len(<M-]>")
        editor.wait_for(lambda: any(MASK in text for text in editor.lua("return seen")), "a canvas in sight")
        shown(editor)
        editor.wait_for(lambda: not editor.virtual_text("quickfill.denoising"), "the end of the canvas")


def test_holes_and_rewritten_lines_are_drawn_while_they_are_denoised(stack, environment):
    with neovim(stack, setup("denoise = true,"), environment) as editor:
        editor.wait_until_ready()
        editor.lua(
            "seen = {}; local show = require('quickfill.denoising').show;"
            "require('quickfill.denoising').show = function(update) show(update); table.insert(seen, update.text) end"
        )
        editor.type("Goreturn len(<lt>fill>) == 0<Esc>:Quickfill fill<CR>")
        # Who asks now and then may miss a canvas that is soon done.
        editor.wait_for(lambda: any(MASK in text for text in editor.lua("return seen")), "a canvas in the hole")
        editor.wait_for(lambda: "<fill>" not in editor.text, "filling")
        assert not editor.virtual_text("quickfill.denoising")
        editor.lua("seen = {}")
        editor.type(":8,9Quickfill edit write the docstring<CR>")
        # Whoever follows an instruction writes from left to right: there is no masked slot, the text grows.
        editor.wait_for(lambda: len(set(editor.lua("return seen"))) >= 2, "the docstring while it is written")
        assert all(text.lstrip().startswith('"""') for text in editor.lua("return seen"))
        editor.wait_for(lambda: '        """' in editor.text, "the docstring")
        assert not editor.virtual_text("quickfill.denoising")


def test_the_next_edit_is_shown_and_made(editor):
    editor.type("5Gf,wciwvalue<Esc>")
    assert editor.wait_for(lambda: editor.virtual_text("quickfill.next_edit"), "a next edit").strip() == "value"
    assert "self.items.append(item)" in editor.text
    editor.type("<Tab>")
    editor.wait_for(lambda: "self.items.append(value)" in editor.text, "making it")
    assert editor.cursor == (5, len("        self.items.append("))


def test_the_next_edit_may_be_in_another_file_that_is_open(editor, stack):
    main = stack.with_name("main.py")
    main.write_text("from stack import Stack\n\nprint(Stack())\n", encoding="utf-8")
    editor.nvim.command(f"edit {main}")
    editor.wait_for(
        lambda: editor.lua("return #vim.lsp.get_clients({ bufnr = 0, name = 'quickfill' }) == 1"), "main.py"
    )
    editor.nvim.command(f"edit {stack}")
    editor.type("1GwciwPile<Esc>")
    editor.wait_for(lambda: "Rename Stack to Pile, line 1 of main.py" in editor.messages, "a next edit of main.py")
    editor.type("<Tab>")
    editor.wait_for(lambda: editor.text.startswith("from stack import Pile\n"), "going there and making it")
    assert editor.wait_for(lambda: editor.virtual_text("quickfill.next_edit"), "the one after it").strip() == "Pile"
    editor.type("<Tab>")
    editor.wait_for(lambda: editor.text == "from stack import Pile\n\nprint(Pile())", "making it")


def test_a_next_edit_goes_when_the_text_changes(editor):
    editor.type("5Gf,wciwvalue<Esc>")
    editor.wait_for(lambda: editor.virtual_text("quickfill.next_edit"), "a next edit")
    editor.type("Go# other")
    editor.wait_for(lambda: not editor.virtual_text("quickfill.next_edit"), "taking it away")
    assert "self.items.append(item)" in editor.text


def test_the_health_check_is_content(editor):
    editor.nvim.command("checkhealth quickfill")
    assert "ERROR" not in editor.text
    assert "quickfill 0" in editor.text
    assert "language server, initialize: answered" in editor.text
    assert "runs for 1 buffers: ready" in editor.text


def test_the_help_has_a_tag_for_every_section(editor, tmp_path):
    help_folder = shutil.copytree(PLUGIN / "doc", tmp_path / "help" / "doc")
    editor.nvim.command(f"set runtimepath+={help_folder.parent}")
    editor.nvim.command(f"helptags {help_folder}")
    tags = editor.lua("return vim.fn.getcompletion('quickfill', 'help')")
    assert {"quickfill", "quickfill-setup", "quickfill-keys", "quickfill-commands", "quickfill-trouble"} <= set(tags)


def test_a_missing_server_and_a_wrong_option_are_named(stack, environment):
    wrong = 'require("quickfill").setup({ cmd = { "no-such-server" }, colour = "blue", mark = 3 })'
    with neovim(stack, wrong, environment) as editor:
        said = editor.wait_for(lambda: "colour" in editor.messages and editor.messages, "the warning")
        assert "mark" in said
        editor.nvim.command("checkhealth quickfill")
        assert "no-such-server cannot be run" in editor.text
        assert f'{ADVICE["command"]} "{ADVICE["source"] or PLUGIN.parents[1]}"' in editor.text


def suggests(editor: Neovim) -> bool:
    """Whether the server is asked for suggestions in the buffer."""
    return editor.lua(
        "local client = vim.lsp.get_clients({ bufnr = 0, name = 'quickfill' })[1];"
        "return client ~= nil and require('quickfill.native').suggests(vim.api.nvim_get_current_buf(), client)"
    )


class TestPause:
    @pytest.fixture(autouse=True)
    def resumed(self, editor: Neovim) -> Iterator[None]:
        yield
        editor.nvim.command("silent! Quickfill resume")

    def test_a_paused_project_shows_nothing_until_it_is_resumed(self, editor: Neovim):
        editor.type(":Quickfill pause<CR>")
        editor.wait_for(lambda: "paused in this project" in editor.messages, "the message")
        assert not suggests(editor)
        assert editor.lua("return require('quickfill').statusline()") == "Quickfill ‖"
        editor.type(":Quickfill resume<CR>")
        editor.wait_for(lambda: suggests(editor), "resuming")
        editor.type("Goreturn len(")
        shown(editor)

    def test_it_ends_by_itself_after_a_time(self, editor: Neovim):
        editor.type(":Quickfill pause 1s<CR>")
        editor.wait_for(lambda: "paused for 1 s" in editor.messages, "the message")
        editor.wait_for(lambda: suggests(editor), "its end")

    def test_one_buffer_can_be_paused_alone(self, editor: Neovim, stack: Path):
        editor.type(":Quickfill toggle buffer<CR>")
        editor.wait_for(lambda: "paused in this buffer" in editor.messages, "the message")
        assert not suggests(editor)
        editor.nvim.command(f"edit {stack.parent / 'other.py'}")
        editor.wait_for(lambda: suggests(editor), "another buffer")

    @pytest.mark.parametrize("where", ["", "buffer "])
    def test_the_next_neovim_remembers_it(self, stack: Path, environment: dict[str, str], where: str):
        (stack.parent / "pyproject.toml").touch()
        for command, enabled in ((f"Quickfill pause {where}10m", False), ("Quickfill resume", True)):
            with neovim(stack, setup(), environment) as first:
                first.wait_until_ready()
                first.nvim.command(command)
            with neovim(stack, setup(), environment) as second:
                second.wait_until_ready()
                assert suggests(second) == enabled

    @pytest.mark.parametrize("time", ["soon", "10d", "-1m"])
    def test_a_time_that_is_none_pauses_nothing(self, editor: Neovim, time: str):
        editor.type(f":Quickfill pause {time}<CR>")
        editor.wait_for(lambda: "is no time" in editor.messages, "the message")
        assert suggests(editor)


def test_without_a_command_there_is_a_menu(editor):
    editor.lua(
        "vim.ui.select = function(entries, options, choose)"
        "  offered = vim.tbl_map(options.format_item, entries); "
        "  for _, entry in ipairs(entries) do if entry[1] == 'status' then choose(entry) end end end"
    )
    editor.type(":Quickfill<CR>")
    editor.wait_for(lambda: "Quickfill is ready" in editor.messages, "what was chosen")
    assert any("Fill the marked holes" in entry for entry in editor.lua("return offered"))


def test_a_status_can_be_read(editor):
    editor.type(":Quickfill status<CR>")
    editor.wait_for(
        lambda: "Quickfill is ready" in editor.messages and "model: embedded" in editor.messages, "the status"
    )
    assert "{" not in editor.messages


class TestServerOfTheProject:
    """Neovim was started outside the environment that has the server."""

    @pytest.fixture
    def elsewhere(self, environment: dict[str, str]) -> dict[str, str]:
        return environment | {"PATH": "/usr/bin:/bin", "VIRTUAL_ENV": ""}

    def test_that_of_its_virtual_environment_is_started(self, stack: Path, elsewhere: dict[str, str]):
        (stack.parent / "pyproject.toml").touch()
        programs = stack.parent / ".venv" / "bin"
        programs.mkdir(parents=True)
        (programs / "quickfill").symlink_to(quickfill_command()[0])
        with neovim(stack, 'require("quickfill").setup()', elsewhere) as editor:
            editor.wait_until_ready()

    def test_one_that_came_with_the_repository_is_not(self, stack: Path, elsewhere: dict[str, str]):
        programs = stack.parent / ".venv" / "bin"
        programs.mkdir(parents=True)
        (programs / "quickfill").symlink_to(quickfill_command()[0])
        for command in (["init", "-q"], ["add", "-f", ".venv"]):
            subprocess.run(["git", *command], cwd=stack.parent, check=True)
        with neovim(stack, 'require("quickfill").setup()', elsewhere) as editor:
            editor.wait_for(lambda: "neither in the project's .venv nor on the PATH" in editor.messages, "a message")

    def test_what_is_missing_is_said_once_with_the_remedy(self, stack: Path, elsewhere: dict[str, str]):
        with neovim(stack, 'require("quickfill").setup()', elsewhere) as editor:
            editor.wait_for(lambda: "install it: pip install" in editor.messages, "a message")
            editor.nvim.command(f"edit {stack.parent / 'other.py'}")
            assert editor.messages.count("install it") == 1

    def test_a_command_that_cannot_be_run_is_named(self, stack: Path, elsewhere: dict[str, str]):
        with neovim(
            stack, 'require("quickfill").setup({ cmd = { "/nowhere/quickfill", "lsp" } })', elsewhere
        ) as editor:
            editor.wait_for(lambda: "`/nowhere/quickfill` of setup cannot be run" in editor.messages, "a message")
