"""A server with OpenAI's completions endpoint, on a real socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FakeServer(ThreadingHTTPServer):
    """OpenAI's completions endpoint: answers with what it was asked.

    Attributes:
        failures: status codes of the next answers, before it works.
        hang_at: the number of the request, from 1, that sets `hanging` and waits for `released`.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), FakeHandler)
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[str | None] = []
        self.failures: list[int] = []
        self.answer: dict[str, Any] | None = None
        self.hang_at: int | None = None
        self.hanging = threading.Event()
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class FakeHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, FakeServer)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = server.failures.pop(0) if server.failures else 200
        if status == 200 and self.path == "/v1/completions":
            server.bodies.append(body)
            server.headers.append(self.headers.get("Authorization"))
        if len(server.bodies) == server.hang_at:
            server.hanging.set()
            server.released.wait()
        text = f"middle of {len(body['prompt'])}<|endoftext|>rest"
        usual = {"choices": [{"text": text, "finish_reason": "stop"}], "usage": {"completion_tokens": 4}}
        content = json.dumps(usual if server.answer is None else server.answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Tests are quiet."""


@contextmanager
def serving() -> Iterator[FakeServer]:
    with FakeServer() as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()
