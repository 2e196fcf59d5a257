"""What the tests look at on the host, before and after a hostile program."""

from __future__ import annotations

import os
import signal
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from evals.sandbox.guest.isolation import PR_SET_CHILD_SUBREAPER, process_control
from evals.sandbox.guest.processes import descendants

SECRET = "the host's secret"


@dataclass(frozen=True)
class HostState:
    """Everything that a program could have changed: the canary folder's files, our processes, messages that arrived,
    shared memory, and files that bear the token."""

    files: dict[str, str]
    processes: frozenset[int]
    messages: int
    shared_memory: str
    traces: frozenset[str]


class Host:
    """A host to attack: a folder with a secret, and listeners on the loopback interface and on Unix sockets.

    Use it in a `with` statement. `token` is a word that nothing else on this machine bears.
    """

    def __init__(self, folder: Path, token: str) -> None:
        self.folder = folder
        self.token = token
        self.messages = 0
        (folder / "secret").write_text(SECRET, encoding="utf-8")
        self.stream = socket.create_server(("127.0.0.1", 0))
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.setblocking(False)
        self.datagrams.bind(("127.0.0.1", 0))
        self.abstract = socket.socket(socket.AF_UNIX)
        self.abstract.bind(f"\0{token}")
        self.named = socket.socket(socket.AF_UNIX)
        self.named.bind(str(folder / "socket"))
        for listener in (self.abstract, self.named):
            listener.listen()

    def __enter__(self) -> Host:
        process_control(PR_SET_CHILD_SUBREAPER, 1)  # what leaves its parents is then still found below this process
        for listener in (self.stream, self.abstract, self.named):
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        for listener in (self.stream, self.abstract, self.named):
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.datagrams.close()

    def _accept(self, listener: socket.socket) -> None:
        try:
            while True:
                listener.accept()[0].close()
                self.messages += 1
        except OSError:
            return

    def names(self) -> dict[str, object]:
        """What an attack may refer to."""
        return {
            "CANARY": str(self.folder),
            "PORT": self.stream.getsockname()[1],
            "DATAGRAM_PORT": self.datagrams.getsockname()[1],
            "TOKEN": self.token,
        }

    def clean_up(self, before: HostState, after: HostState) -> None:
        """End the processes and remove the files that came in between."""
        for process in after.processes - before.processes:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
        for trace in after.traces - before.traces:
            Path(trace).unlink()

    def state(self) -> HostState:
        with suppress(BlockingIOError):
            while self.datagrams.recv(100):
                self.messages += 1
        files = {path.name: path.read_text(encoding="utf-8") for path in self.folder.iterdir() if path.is_file()}
        places = (self.folder, Path("/"), Path("/tmp"), Path("/dev"), Path("/dev/shm"), Path.home(), Path.cwd())
        shared_memory = Path("/proc/sysvipc/shm")
        return HostState(
            files=files,
            processes=frozenset(descendants(os.getpid())),
            messages=self.messages,
            shared_memory=shared_memory.read_text(encoding="ascii") if shared_memory.exists() else "",
            traces=frozenset(str(path) for place in places for path in place.glob(f"*{self.token}*")),
        )
