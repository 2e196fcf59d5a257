"""`quickfill serve` as a process of its own, on a tiny checkpoint."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.cache_home import cache_home

PATIENCE = 120.0


@dataclass
class RunningServer:
    """A server that accepts connections.

    Attributes:
        address: as `http://127.0.0.1:1234`. errors: what it has written to standard error.
    """

    process: subprocess.Popen[str]
    address: str
    errors: list[str] = field(default_factory=list)

    def client(self, **options) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=PATIENCE, trust_env=False, **options)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM if os.name == "posix" else signal.SIGINT)


def command() -> str:
    found = shutil.which("quickfill", path=str(Path(sys.executable).parent))
    assert found, "the tests need the command; CONTRIBUTING.md says how to install it"
    return found


@contextmanager
def running(checkpoint: Path | str, cache: Path, *options: str, **environment: str) -> Iterator[RunningServer]:
    """A server on a port that it chooses; it is killed at last if it still runs.

    Args:
        cache: a folder for what the command remembers of this machine.
    """
    arguments = [command(), "serve", "--port", "0", "--model", str(checkpoint), "--runtime", "onnx", "--threads", "1"]
    process = subprocess.Popen(
        [*arguments, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"XDG_CACHE_HOME": cache_home(cache)} | environment,
    )
    server = RunningServer(process, "")
    words: queue.SimpleQueue[str] = queue.SimpleQueue()
    assert process.stdout is not None and process.stderr is not None
    readers = [
        threading.Thread(target=lambda: [words.put(line) for line in process.stdout or ()], daemon=True),
        threading.Thread(target=lambda: server.errors.extend(process.stderr or ()), daemon=True),
    ]
    for reader in readers:
        reader.start()
    try:
        line = words.get(timeout=PATIENCE)
        assert line.startswith("quickfill serves http://"), line
        server.address = line.split()[-1]
        yield server
    finally:
        process.kill()
        process.wait(PATIENCE)
        for reader in readers:
            reader.join(PATIENCE)
        process.stdout.close()
        process.stderr.close()
