"""What a vLLM server with this project's plugin says, said by our own sampler: a small HTTP server in this process."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from coder.diffusion.block_diffusion import parse_algorithm
from coder.diffusion.events import Committed, Finished
from coder.diffusion.run import DenoiseRequest, Sampler
from coder.model.runtime import Runtime

LARGEST = 16

REFUSED_POLICY = "threshold:0.123"
"""One that the client knows and this server does not."""


class StandIn(ThreadingHTTPServer):
    """
    Attributes:
        bodies: of the requests that came. held: while it is clear, no answer goes on behind its first tokens.
    """

    daemon_threads = True

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.runtime, self.bodies = runtime, list[dict[str, Any]]()
        self.held, self.one_at_a_time = threading.Event(), threading.Lock()
        self.held.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def parts(self, body: dict[str, Any]) -> Iterator[tuple[list[int], str | None]]:
        """Tokens as they are committed, the end token among them, and at last why it ended."""
        arguments, end = body["vllm_xargs"], self.runtime.config.control.fim_end
        algorithm = parse_algorithm(arguments["policy"], arguments.get("canvas", LARGEST))
        cache = self.runtime.new_cache()
        with self.one_at_a_time:
            request = DenoiseRequest(body["prompt"], cache, algorithm, end, body["max_tokens"])
            events = list(Sampler(self.runtime).denoise(request))
        for event in events:
            if isinstance(event, Committed):
                yield list(event.tokens), None
            elif isinstance(event, Finished):
                yield ([end], "stop") if event.reason == "end" else ([], "length")


class Handler(BaseHTTPRequestHandler):
    server: StandIn  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        self._send({"data": [{"id": "served"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.bodies.append(body)
        if body["vllm_xargs"]["policy"] == REFUSED_POLICY:
            self._send({"error": {"message": "there is no such policy"}}, 400)
            return
        self.send_response(200)
        self.end_headers()
        with suppress(ConnectionError):  # the client has left
            for tokens, reason in self.server.parts(body):
                choice = {"index": 0, "text": "", "token_ids": tokens, "finish_reason": reason}
                self.wfile.write(f"data: {json.dumps({'choices': [choice]})}\n\n".encode())
                self.wfile.flush()
                self.server.held.wait()
            self.wfile.write(b"data: [DONE]\n\n")

    def _send(self, answer: dict[str, Any], status: int = 200) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def standing_in(runtime: Runtime) -> Iterator[StandIn]:
    server = StandIn(runtime)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.held.set()
        server.shutdown()
        server.server_close()
        thread.join()
