"""Starting the process of a shared engine, which outlives who starts it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import platformdirs

from coder.errors import QuickfillError
from lsp.engine.shared.identity import EngineIdentity
from lsp.engine.shared.private_folder import REMEDY, runtime_folder

LISTENING, TAKEN = "listening", "taken"
"""The words of the process: clients may connect; or another one came first."""

LARGEST_LOG = 1 << 20

DETACHED_ON_WINDOWS = 0x0208
"""`DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP`; `subprocess` has these names on Windows alone."""


def log_file(identity: EngineIdentity) -> Path:
    """The file of an engine's messages; the users' text is never among them."""
    folder = platformdirs.user_log_path("quickfill", appauthor=False, ensure_exists=True)
    return folder / f"engine-{identity.key}.log"


def launch(identity: EngineIdentity, idle_seconds: float) -> bool:
    """Start a process and wait until it listens. Returns whether it does: otherwise there is another one.

    Raises QuickfillError when it does not start.
    """
    file = log_file(identity)
    if file.exists() and file.stat().st_size > LARGEST_LOG:
        with suppress(OSError):  # Windows does not move what another process has open
            file.replace(file.with_suffix(".log.1"))
    options = ["--model", identity.model, "--runtime", identity.runtime, "--version", identity.version]
    with file.open("ab") as log:
        # Python finds modules in the folder that it runs in first: it must be one that nobody else writes to.
        process = subprocess.Popen(
            [sys.executable, "-m", "lsp.engine.shared", *options, "--idle-seconds", str(idle_seconds)],
            cwd=runtime_folder(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            # Out of reach of what stops the server: signals of its terminal, or of its process group.
            start_new_session=True,
            creationflags=DETACHED_ON_WINDOWS if os.name == "nt" else 0,
        )
    threading.Thread(target=process.wait, daemon=True).start()  # so that it leaves no zombie when it ends
    assert process.stdout is not None
    with process.stdout:
        word = process.stdout.readline().strip()
    if word not in (LISTENING, TAKEN):
        raise QuickfillError(f"the engine does not start; {file} says why. {REMEDY.capitalize()}")
    return word == LISTENING
