"""A user of Emacs types and sees, takes and changes suggestions: the plugin, the server and the embedded model."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.cache_home import cache_home
from tests.e2e.emacs import PLUGIN, ROOT, Emacs, emacs, find_emacs, lisp_string, typed
from tests.e2e.neovim import quickfill_command
from tests.e2e.stack import STACK

pytestmark = pytest.mark.slow

SETUP = """
(setq quickfill-command '({command})
      quickfill-settings '(:gate 0.0 :budgetMs 60000 :engine "in-process")
      jsonrpc-default-request-timeout 60
      lsp-response-timeout 60
      read-process-output-max 65536)
{more}
(find-file {file})
(switch-to-buffer (current-buffer))
{connect}
(goto-char (point-max))
"""
"""Every suggestion is shown, however unsure and late it is; nothing times out on a busy machine."""

NOTHING_FOUND = "nothing better was found"

EGLOT = ("(quickfill-setup-eglot)", "(call-interactively #'eglot)")

OTHER_SERVER = " ".join(map(lisp_string, [sys.executable, str(Path(__file__).with_name("other_server.py"))]))

LSP_MODE = (
    f"""(quickfill-setup-lsp-mode)
       (lsp-register-client
        (make-lsp-client :new-connection (lsp-stdio-connection '({OTHER_SERVER}))
                         :activation-fn (lsp-activate-on "python") :server-id 'other))
       (setq lsp-client-packages nil lsp-auto-guess-root t lsp-enable-file-watchers nil
             lsp-session-file (expand-file-name "session" (getenv "HOME")) lsp-inline-completion-idle-delay 0)""",
    "(lsp)",
)


def wait_until_filled(editor: Emacs, before: str) -> None:
    """Until the hole of a text is filled, and nothing else is changed."""
    editor.wait_for(lambda: "<fill>" not in editor.text, "filling")
    start, end = before.split("<fill>")
    assert editor.text.startswith(start)
    assert editor.text.endswith(end)


def type_until_answered(editor: Emacs, keys: str) -> bool:
    """Ask for a rewrite, and wait until it is shown or the user is told that there is none. Return whether it is."""
    before, told = editor.text, editor.messages.count(NOTHING_FOUND)
    editor.type(keys)
    editor.wait_for(lambda: editor.preview or editor.messages.count(NOTHING_FOUND) > told, "an answer")
    assert editor.text == before, "nothing is changed before the user says so"
    return bool(editor.preview)


def running(folder: Path, client: tuple[str, str], server: Sequence[str] = ()) -> Iterator[Emacs]:
    """One for several tests, since its server takes a while to load the model.

    Args:
        server: how to start another one.
    """
    file = folder / "stack.py"
    file.write_text(STACK, encoding="utf-8")
    environment = {
        "HOME": str(folder),
        "XDG_CACHE_HOME": cache_home(folder / "cache"),
        "XDG_STATE_HOME": str(folder / "state"),
        "PYTHONPATH": str(ROOT),
    }
    command = " ".join(map(lisp_string, server or quickfill_command()))
    setup = SETUP.format(command=command, more=client[0], connect=client[1], file=lisp_string(str(file)))
    with emacs(setup, environment) as editor:
        editor.wait_until_ready()
        yield editor


@pytest.fixture(scope="module")
def emacs_with_eglot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emacs]:
    yield from running(tmp_path_factory.mktemp("eglot"), EGLOT)


@pytest.fixture(scope="module")
def emacs_that_rewrites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emacs]:
    """With a server that writes what it is told to."""
    server = (sys.executable, "-m", "tests.lsp.scripted")
    yield from running(tmp_path_factory.mktemp("able"), EGLOT, server)


@pytest.fixture(scope="module")
def lsp_mode(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emacs]:
    yield from running(tmp_path_factory.mktemp("lsp-mode"), LSP_MODE)


@pytest.fixture
def editor(emacs_with_eglot: Emacs, tmp_path: Path) -> Emacs:
    return with_a_file(emacs_with_eglot, tmp_path.name)


@pytest.fixture
def rewriter(emacs_that_rewrites: Emacs, tmp_path: Path) -> Emacs:
    return with_a_file(emacs_that_rewrites, tmp_path.name)


def with_a_file(editor: Emacs, name: str) -> Emacs:
    """With a file of the test's own, in which nothing was changed yet."""
    file = Path(editor.evaluate("default-directory")).expanduser() / f"{name}.py"
    file.write_text(STACK, encoding="utf-8")
    editor.evaluate(
        f"(progn (find-file {lisp_string(str(file))}) (switch-to-buffer (current-buffer)) (goto-char (point-max)) t)"
    )
    editor.wait_for(lambda: editor.evaluate("quickfill-mode"), "a connection")
    return editor


def test_it_compiles_without_a_warning(tmp_path):
    files = [str(shutil.copy(file, tmp_path)) for file in PLUGIN.glob("*.el")]
    command = [find_emacs(), "-Q", "--batch", "-L", str(tmp_path), "--eval", "(setq byte-compile-error-on-warn t)"]
    done = subprocess.run([*command, "-f", "batch-byte-compile", *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_ghost_text_appears_while_typing_and_is_accepted(editor):
    editor.type("RET r e t u r n SPC l e n (")
    ghost = editor.wait_for(lambda: editor.ghost_text, "ghost text")
    before = editor.text
    editor.type("TAB")
    assert editor.text == before + ghost
    assert not editor.ghost_text


def test_ghost_text_is_typed_into_and_accepted_by_word_and_line(editor):
    editor.type("RET r e t u r n SPC l e n (")
    ghost = editor.wait_for(lambda: editor.ghost_text, "ghost text")
    editor.type(ghost[0])
    assert editor.ghost_text == ghost[1:]
    before = editor.text
    editor.type("M-f")
    word = editor.text.removeprefix(before)
    assert word.strip().isidentifier()
    assert editor.ghost_text == ghost[1:].removeprefix(word)
    editor.type("C-e")
    assert editor.text == before + ghost[1:].split("\n")[0]


def test_what_comes_late_is_shown_to_who_waits(rewriter):
    rewriter.type("RET l a t e SPC = SPC")
    rewriter.wait_for(lambda: rewriter.ghost_text == "in time", "ghost text")


def test_a_dismissed_suggestion_is_gone_and_tab_is_a_tab_again(editor):
    editor.type("RET r e t u r n SPC l e n (")
    editor.wait_for(lambda: editor.ghost_text, "ghost text")
    before = editor.text
    editor.type("C-g")
    assert not editor.ghost_text
    editor.type("TAB")
    assert editor.text == before


def test_ghost_text_goes_with_the_place_it_was_for(editor):
    editor.type("RET r e t u r n SPC l e n (")
    editor.wait_for(lambda: editor.ghost_text, "ghost text")
    editor.type("C-p")
    assert not editor.ghost_text


def test_holes_are_filled_and_one_undo_takes_them_back(editor):
    editor.evaluate('(progn (insert "        return len(<fill>) == 0\\n") (undo-boundary) t)')
    before = editor.text
    editor.type("M-x quickfill-fill RET")
    wait_until_filled(editor, before)
    assert "filling 1 hole…" in editor.messages
    assert re.search(r"filled 1 hole in [\d.]+ s; undo takes it back", editor.messages)
    editor.type("C-/")
    assert editor.text == before


def test_an_answer_is_not_written_into_a_text_that_has_changed(editor):
    editor.evaluate('(progn (insert "        return len(<fill>) == 0\\n") (quickfill-fill) (insert "# new\\n") t)')
    editor.wait_for(lambda: "nothing was written" in editor.messages, "the warning")
    assert editor.text.endswith("return len(<fill>) == 0\n# new\n")


UNWRITTEN = '(progn (insert "        return len(self.itms) == 0\\n") (forward-line -1) t)'


def test_a_rewrite_is_shown_before_it_is_made_and_one_undo_takes_it_back(rewriter):
    rewriter.evaluate(UNWRITTEN)
    before = rewriter.text
    assert type_until_answered(rewriter, "M-x quickfill-edit RET f i x RET")
    assert "rewriting…" in rewriter.messages
    assert "".join(rewriter.preview).strip() == "fix"
    rewriter.type("C-c C-c")
    assert not rewriter.preview
    assert rewriter.text != before and "fix" in rewriter.text
    rewriter.type("C-/")
    assert rewriter.text == before


def test_a_rewrite_that_is_discarded_or_typed_over_changes_nothing(rewriter):
    rewriter.evaluate(UNWRITTEN)
    before = rewriter.text
    assert type_until_answered(rewriter, "M-x quickfill-edit RET f i x RET")
    rewriter.type("C-c C-k")
    assert not rewriter.preview and rewriter.text == before
    assert type_until_answered(rewriter, "M-x quickfill-edit RET f i x RET")
    rewriter.type("x")
    assert not rewriter.preview


def test_a_key_that_contradicts_ghost_text_takes_it_away_at_once(editor):
    editor.type("RET r e t u r n SPC l e n (")
    ghost = editor.wait_for(lambda: editor.ghost_text, "ghost text")
    before, other = editor.text, "x" if ghost[0] != "x" else "y"
    editor.type(other)
    assert not editor.ghost_text
    assert editor.text == before + other


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("first second", "first"),
        (" == 0", " =="),
        ('\n    """Return it."""\n    return 1', '\n    """Return it."""'),
        ("'''Return it.\n'''", "'''Return it."),
    ],
)
def test_a_word_is_taken_and_a_docstring_by_its_line(rewriter, text, word):
    before = rewriter.text
    rewriter.evaluate(
        "(progn (quickfill--show (list (make-quickfill-suggestion :beginning (point) :end (point)"
        f" :text {lisp_string(text)}))) t)"
    )
    rewriter.type("M-f")
    assert rewriter.text == before + word
    assert rewriter.ghost_text == text.removeprefix(word)


SEEN = "(quickfill-mode-line)"


def test_a_pause_is_seen_remembered_and_ended(rewriter):
    rewriter.type("M-x quickfill-pause RET 1 0 m RET")
    assert rewriter.evaluate(SEEN) == "Quickfill paused for 10 min"
    rewriter.evaluate("(progn (setq quickfill--pauses 'unread) t)")
    assert rewriter.evaluate(SEEN) == "Quickfill paused for 10 min"
    rewriter.type("M-x quickfill-resume RET")
    assert rewriter.evaluate(SEEN) == "Quickfill"


def test_one_file_is_paused_alone(rewriter):
    rewriter.type("C-u M-x quickfill-pause RET RET")
    assert rewriter.evaluate(SEEN) == "Quickfill paused"
    paused = rewriter.evaluate("buffer-file-name")
    with_a_file(rewriter, "another_file")
    assert rewriter.evaluate(SEEN) == "Quickfill"
    rewriter.evaluate(f"(progn (find-file {lisp_string(paused)}) (switch-to-buffer (current-buffer)) t)")
    rewriter.type("M-x quickfill-resume RET")
    assert rewriter.evaluate(SEEN) == "Quickfill"


def test_while_it_is_paused_nothing_is_asked(rewriter):
    rewriter.type("M-x quickfill-pause RET RET")
    rewriter.evaluate("(progn (setq quickfill--asked-at nil) (quickfill--suggest-in (current-buffer)) t)")
    assert rewriter.evaluate("quickfill--asked-at") is None
    rewriter.type("M-x quickfill-resume RET")
    rewriter.evaluate("(progn (quickfill--suggest-in (current-buffer)) t)")
    assert rewriter.evaluate("quickfill--asked-at") is not None


def test_what_is_no_time_is_refused(rewriter):
    with pytest.raises(AssertionError, match="soon is not a time; write 10m, 1h or 30s"):
        rewriter.evaluate('(quickfill-pause "soon")')


def test_a_renamed_name_is_renamed_at_its_next_place(editor):
    editor.evaluate('(progn (goto-char (point-min)) (search-forward "push(self, item") t)')
    editor.evaluate("(eglot--signal-textDocument/didChange)")
    editor.type("M-DEL v a l u e")
    editor.evaluate("(eglot--signal-textDocument/didChange)")
    editor.type("M-x quickfill-next-edit RET")
    editor.wait_for(lambda: "TAB does it" in editor.messages, "a next edit")
    editor.type("TAB")
    assert "self.items.append(value)" in editor.text


def test_code_actions_are_offered_and_the_chosen_one_is_done(rewriter):
    rewriter.evaluate('(progn (insert "        return len(<fill>) == 0\\n") (forward-line -1) t)')
    before = rewriter.text
    offered = "(vconcat (mapcar (lambda (action) (plist-get action :title)) (eglot-code-actions (point))))"
    assert rewriter.evaluate(offered) == [
        "Quickfill: Rewrite is_empty",
        "Quickfill: Write the docstring of is_empty",
        "Quickfill: Fill the hole",
        "Quickfill: Rewrite is_empty as I say…",
    ]
    rewriter.type(f"M-x eglot-code-actions RET {typed('Quickfill: Fill the hole')} RET")
    wait_until_filled(rewriter, before)


def test_a_name_that_is_not_defined_is_repaired_by_a_quick_fix(editor):
    editor.evaluate('(progn (insert "        return len(self.items) == zero\\n") (forward-line -1) (end-of-line) t)')
    if type_until_answered(editor, "M-x eglot-code-action-quickfix RET"):
        editor.type("C-c C-c")
        assert "== zero" not in editor.text


def test_a_code_action_asks_for_an_instruction(rewriter):
    rewriter.evaluate(UNWRITTEN)
    assert type_until_answered(
        rewriter, f"M-x eglot-code-actions RET {typed('Quickfill: Rewrite is_empty as I')} RET f i x RET"
    )
    rewriter.type("C-c C-k")


def test_lsp_mode_runs_the_language_s_own_server_too(lsp_mode):
    servers = "(vconcat (mapcar (lambda (each) (symbol-name (lsp--workspace-server-id each))) (lsp-workspaces)))"
    assert sorted(lsp_mode.evaluate(servers)) == ["other", "quickfill"]
    hover = '(lsp-request "textDocument/hover" (lsp--text-document-position-params))'
    assert lsp_mode.evaluate(f"(lsp:hover-contents {hover})") == "the other one's"


def test_lsp_mode_shows_and_accepts_ghost_text(lsp_mode):
    lsp_mode.type("RET r e t u r n SPC l e n (")
    lsp_mode.evaluate("(progn (lsp-inline-completion-display) t)")
    shown = "(and lsp-inline-completion--overlay (overlay-get lsp-inline-completion--overlay 'after-string))"
    ghost = lsp_mode.wait_for(lambda: lsp_mode.evaluate(shown), "ghost text")
    before = lsp_mode.text
    lsp_mode.evaluate("(progn (lsp-inline-completion-accept) t)")
    assert lsp_mode.text == before + ghost


def test_holes_are_filled_with_lsp_mode(lsp_mode):
    lsp_mode.evaluate('(progn (insert "        return len(<fill>) == 0\\n") t)')
    before = lsp_mode.text
    lsp_mode.type("M-x quickfill-fill RET")
    wait_until_filled(lsp_mode, before)


def test_code_actions_of_both_servers_are_done_with_lsp_mode(lsp_mode):
    lsp_mode.evaluate('(progn (insert "        return len(<fill>) == 0\\n") t)')
    before = lsp_mode.text
    lsp_mode.type(f"M-x lsp-execute-code-action RET {typed('Quickfill: Fill the hole')} RET")
    wait_until_filled(lsp_mode, before)

    lsp_mode.evaluate("(progn (forward-line -1) t)")
    filled = lsp_mode.text
    lsp_mode.type(f"M-x lsp-execute-code-action RET {typed('Other: sign')} RET")
    lsp_mode.wait_for(lambda: lsp_mode.text == f"# signed\n{filled}", "the other server's edit")
