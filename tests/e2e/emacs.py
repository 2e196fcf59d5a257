"""A real Emacs without a screen: a loop in batch mode that evaluates what is asked for, driven by keys."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.installed import find_editor, output_of

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "editor-plugins" / "emacs"
PATIENCE_SECONDS = 60.0

LOOP = """
(setq native-comp-enable-subr-trampolines nil)
(setq-default indent-tabs-mode nil)
(add-to-list 'load-path "{plugin}")
(require 'quickfill)
{setup}
(while t
  (let ((wanted (read (read-from-minibuffer ""))))
    (accept-process-output nil 0.05)
    (princ (replace-regexp-in-string
             "[^[:ascii:]]" (lambda (character) (format "\\\\u%04x" (aref character 0)))
             (decode-coding-string
               (json-serialize
                 (condition-case failure (eval wanted t) (error (list :error (format "%S" failure))))
                 :false-object nil)
               'utf-8)
             t t))
    (terpri)))
"""
"""Between two questions Emacs listens to its processes and its clock; each answer is a line of JSON, in ASCII,
whatever the locale is."""


def find_emacs() -> str:
    """An Emacs that has lsp-mode with inline completion too."""
    return find_editor("emacs", lambda program: "found" in output_of(program, "-Q", "--batch", "--eval", HAS_LSP_MODE))


HAS_LSP_MODE = '(and (>= emacs-major-version 30) (locate-library "lsp-inline-completion") (princ "found"))'


class Emacs:
    """A running editor. Keys are typed as a user types them; what the user would see is read back."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log

    def evaluate(self, expression: str) -> Any:
        """What an expression gives: a text, a number, a list of JSON, or None and True for Emacs's nil and t."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(expression.replace("\n", " ") + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"Emacs has stopped\n{self.messages}"
        answer = json.loads(line)
        assert not (isinstance(answer, dict) and "error" in answer), f"{expression}: {answer}\n{self.messages}"
        return answer or None

    def type(self, keys: str) -> None:
        """Type keys, in Emacs's notation: `l e n ( RET`."""
        self.evaluate(f'(progn (execute-kbd-macro (kbd "{keys}")) t)')

    @property
    def text(self) -> str:
        return self.evaluate("(buffer-substring-no-properties (point-min) (point-max))") or ""

    @property
    def ghost_text(self) -> str | None:
        """What this plugin's overlay shows."""
        return self.evaluate(
            "(and quickfill--overlay (substring-no-properties (overlay-get quickfill--overlay 'after-string)))"
        )

    @property
    def preview(self) -> list[str]:
        """The texts that a rewrite in sight would write."""
        written = "(lambda (each) (substring-no-properties (overlay-get each 'after-string)))"
        return self.evaluate(f"(vconcat (mapcar {written} quickfill--preview))") or []

    @property
    def messages(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def wait_for(self, condition: Callable[[], Any], what: str) -> Any:
        """Until `condition` is met, letting Emacs listen; fails with the editor's messages otherwise."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            self.evaluate("t")
            if result := condition():
                return result
        pytest.fail(f"{what} did not happen within {PATIENCE_SECONDS:g} s\n{self.messages}\n{self.text}")

    def wait_until_ready(self) -> None:
        """Until the server has loaded its model."""
        self.wait_for(lambda: self.evaluate('(equal quickfill--state "ready")'), "a ready server")


@contextmanager
def emacs(setup: str, environment: Mapping[str, str]) -> Iterator[Emacs]:
    """An Emacs that knows nothing but the plugin, set up by the Emacs Lisp `setup`."""
    home = Path(environment["HOME"])
    loop, log = home / "loop.el", home / "messages.log"
    loop.write_text(LOOP.format(plugin=PLUGIN, setup=setup), encoding="utf-8")
    with log.open("w", encoding="utf-8") as messages:
        process = subprocess.Popen(
            [find_emacs(), "-Q", "--batch", "-l", str(loop)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=messages,
            text=True,
            encoding="utf-8",
            env=os.environ | environment,
        )
        try:
            yield Emacs(process, log)
        finally:
            process.kill()
            process.communicate()


def lisp_string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def typed(text: str) -> str:
    """The keys for a text, also where a space would complete it."""
    return " ".join("C-q SPC" if character == " " else character for character in text)
