"""A server that answers what it is told to, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from coder.api.wire import ServedAbilities, ServerInfo

PATIENCE = 60.0

ABILITIES = dict.fromkeys(("holes", "edits", "correction", "context", "instructions"), False) | {"rewrites": True}
INFO = ServerInfo(
    server="quickfill 1",
    model="quickfill",
    version="v0",
    runtime={"runtime": "none"},
    abilities=ServedAbilities(**ABILITIES),
    canvas_sizes=[16],
    most_tokens=512,
    most_answers=4,
)
COMPLETION = {
    "text": "answer",
    "finish_reason": "end",
    "replaces": 0,
    "seconds": 0.5,
    "statistics": {"policy": "scripted", "tokens": 2, "mean_confidence": 0.5},
}
UPDATE = {"settled": "ans", "slots": [{"text": None}], "passes": 1, "tokens": 1}


@dataclass
class Reply:
    """An answer to one path.

    Attributes:
        content: all of it, or the beginning of one that is not ended before the client has left.
    """

    content: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    endless: bool = False

    @staticmethod
    def of(body: object, status: int = 200) -> Reply:
        return Reply(json.dumps(body).encode(), status)

    @staticmethod
    def events(*bodies: object, endless: bool = False) -> Reply:
        return Reply("".join(f"data: {json.dumps(body)}\n\n" for body in bodies).encode(), endless=endless)


@dataclass
class FakeServer:
    """
    Attributes:
        replies: by the last part of the path.
        asked: paths and bodies, with the key. left: released when a client leaves an endless answer.
    """

    url: str
    replies: dict[str, Reply]
    asked: list[tuple[str, Any, str | None]] = field(default_factory=list)
    left: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


@contextmanager
def fake_server(**replies: Reply) -> Iterator[FakeServer]:
    server = FakeServer("", {"info": Reply.of(INFO.model_dump())} | replies)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, body: Any) -> None:
            server.asked.append((self.path, body, self.headers["Authorization"]))
            reply = server.replies[self.path.rpartition("/")[2]]
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.content)
            self.wfile.flush()
            if reply.endless and self.connection.recv(1) == b"":
                server.left.release()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is logged."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    server.url = f"http://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join(PATIENCE)
