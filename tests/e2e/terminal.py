"""A program in a terminal that nobody sees: tmux, keys into it, its screen out of it."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.installed import find_editor, output_of

PATIENCE_SECONDS = 60.0


class Terminal:
    """A screen of 100 columns and 30 lines."""

    def __init__(self, tmux: list[str]) -> None:
        self._tmux = tmux

    def press(self, *keys: str) -> None:
        """Press keys, in tmux's notation: `Escape`, `C-x`, `Enter`."""
        self._run("send-keys", *keys)

    def type(self, text: str) -> None:
        self._run("send-keys", "-l", text)

    @property
    def screen(self) -> str:
        return self._run("capture-pane", "-p")

    @property
    def coloured_screen(self) -> str:
        """With the terminal's codes for colours."""
        return self._run("capture-pane", "-p", "-e")

    def wait_for(self, *parts: str) -> str:
        """Until all of these are on the screen. Returns it; fails with it otherwise."""
        return self.wait_until(lambda screen: all(part in screen for part in parts), " and ".join(parts))

    def wait_until(
        self, condition: Callable[[str], object], what: str, *, again: Callable[[], object] | None = None
    ) -> str:
        """Until the screen meets `condition`, doing `again` what may have come too early.

        Returns the screen; fails with it otherwise.
        """
        end = time.monotonic() + PATIENCE_SECONDS
        repeat = 0.0
        while time.monotonic() < end:
            screen = self.screen
            if condition(screen):
                return screen
            if again is not None and time.monotonic() > repeat:
                again()
                repeat = time.monotonic() + PATIENCE_SECONDS / 12
            time.sleep(0.05)
        pytest.fail(f"{what} did not come in sight within {PATIENCE_SECONDS:g} s:\n{self.screen}")

    def _run(self, *command: str) -> str:
        return subprocess.run([*self._tmux, *command], capture_output=True, text=True, check=True).stdout


@contextmanager
def terminal(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Run a program in `folder`, and end it at the end."""
    program = find_editor("tmux", lambda candidate: output_of(candidate, "-V").startswith("tmux 3"))
    tmux = [program, "-u", "-f", os.devnull, "-S", str(folder / "tmux")]
    size = ["-x", "100", "-y", "30"]
    variables = [argument for name, value in environment.items() for argument in ("-e", f"{name}={value}")]
    start = [*tmux, "new-session", "-d", *size, *variables, "-c", str(folder), shlex.join(command)]
    done = subprocess.run(start, capture_output=True, text=True, env=os.environ | environment)
    assert done.returncode == 0, done.stderr
    try:
        yield Terminal(tmux)
    finally:
        subprocess.run([*tmux, "kill-server"], capture_output=True)
