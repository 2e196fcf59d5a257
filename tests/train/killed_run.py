"""A training run in a process of its own that is killed, or whose disk is full, at a certain moment."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coder.errors import QuickfillError
from coder.train import trainer
from coder.train.pace import Pace
from coder.train.run import train
from coder.train.run_folder import RunFolder
from coder.train.settings_file import read_settings

FILE_BYTES = 4096
"""The largest file that can be written where the disk is full: a settings file, but no weights."""


def kill(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def at(owner: Any, name: str, count: int, *, before: bool) -> None:
    """Kill this process at the `count`-th call of a function: before it does anything, or when it has done all."""
    original: Callable[..., Any] = getattr(owner, name)
    calls = iter(range(1, count + 1))

    def call(*arguments: Any, **named: Any) -> Any:
        last = next(calls) == count
        if last and before:
            kill()
        result = original(*arguments, **named)
        if last:
            kill()
        return result

    setattr(owner, name, call)


def full_disk() -> None:
    """Let no file grow: to a program the same as a disk without room."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))


MOMENTS: dict[str, Callable[[], None]] = {
    "none": lambda: None,
    "in a step": lambda: at(Pace, "on_optimizer_step", 5, before=True),
    "before a checkpoint": lambda: at(RunFolder, "save", 3, before=True),
    "in a checkpoint": lambda: at(RunFolder, "save", 3, before=False),
    "before it is marked": lambda: at(Pace, "save", 3, before=True),
    "before old ones go": lambda: at(trainer, "remove_old_checkpoints", 3, before=True),
    "full disk": full_disk,
}


def main(moment: str, settings: Path) -> int:
    MOMENTS[moment]()
    try:
        train(read_settings(settings))
    except QuickfillError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
