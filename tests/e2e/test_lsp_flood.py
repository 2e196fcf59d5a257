"""A hundred thousand messages, many of them nonsense, to one server: it neither falls over nor hangs."""

from __future__ import annotations

import json
import random
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from lsp.server import FEATURES
from lsp.wire.framing import MalformedMessageError, read_message
from tests.e2e.editor import ROOT, SCRIPTED, environment

MESSAGES = 100_000
PATIENCE_SECONDS = 300.0

UNKNOWN = ["$/cancelRequest", "$/setTrace", "$/progress", "workspace/unheardOf", "textDocument/hover", "", "é"]
METHODS = [*(name for name in FEATURES if name != "shutdown"), *UNKNOWN]
SCALARS: list[Any] = [None, True, -1, 0, 1, 2**31, 2**70, 1.5, "", "file:///a.py", "python", "\ud800", "x" * 500]
FIELDS = "textDocument position contentChanges range ranges context id item settings command".split()


def params_of_an_editor(generator: random.Random) -> dict[str, Any]:
    """What an editor could send, at places that mostly do not exist."""

    def position() -> dict[str, int]:
        return {"line": generator.randrange(-1, 4), "character": generator.randrange(-1, 30)}

    span = {"start": position(), "end": position()}
    text = generator.choice(["total = ", "def f():\n    ", "\r\n", "😋", ""])
    uri = generator.choice(["file:///a.py", "file:///b.py", "untitled:1", "%%%"])
    document = {"uri": uri, "version": generator.randrange(5), "languageId": "python", "text": text}
    return {
        "textDocument": document,
        "position": position(),
        "context": {"triggerKind": generator.choice([1, 2])},
        "contentChanges": [{"range": span, "text": text}],
        "range": span,
        "ranges": [span],
        "id": generator.randrange(100),
    }


def nonsense(generator: random.Random, depth: int = 0) -> Any:
    kind = generator.random()
    if depth == 3 or kind < 0.6:
        return generator.choice(SCALARS)
    if kind < 0.75:
        return [nonsense(generator, depth + 1) for _ in range(generator.randrange(4))]
    return {generator.choice(FIELDS): nonsense(generator, depth + 1) for _ in range(generator.randrange(4))}


def message(generator: random.Random, number: int) -> bytes:
    """A frame: a request or a notification with more or less sense in it, or a body that is no message at all."""
    kind = generator.random()
    if kind < 0.05:
        body = generator.choice([b"{", b"\xff\xfe", b"[" * 3000, b"null", b"[]", b'"text"', b"{}", b"nan", b""])
    else:
        content: dict[str, Any] = {"jsonrpc": "2.0", "method": generator.choice(METHODS)}
        sensible = generator.random() < 0.5
        content["params"] = params_of_an_editor(generator) if sensible else nonsense(generator)
        if generator.random() < 0.5:
            content["id"] = number
        if generator.random() < 0.1:
            del content[generator.choice(["jsonrpc", "method", "params"])]
        body = json.dumps(content).encode()
    headers = b"X-Junk: 1\r\nContent-Length: %d\r\n" if generator.random() < 0.05 else b"Content-Length: %d\r\n"
    return headers % len(body) + b"\r\n" + body


def frame(content: dict[str, Any]) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", **content}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        SCRIPTED,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=environment(tmp_path),
    ) as process:
        yield process
        process.kill()


def answers_until(server: subprocess.Popen[bytes], wanted: str) -> Callable[[], set[Any]]:
    """Reads in the background; the result waits for the answer `wanted` and gives the ids of all answers."""
    found: set[Any] = set()
    complete = threading.Event()

    def read() -> None:
        stream = cast(BinaryIO, server.stdout)
        while True:
            try:
                received = read_message(stream)
            except MalformedMessageError as error:
                raise AssertionError(f"the server wrote {error}") from error
            if received is None:
                return
            if isinstance(received, dict) and "method" not in received:
                found.add(received["id"])
                if received["id"] == wanted:
                    complete.set()

    threading.Thread(target=read, daemon=True).start()

    def result() -> set[Any]:
        assert complete.wait(PATIENCE_SECONDS), "the server did not answer any more"
        return found

    return result


@pytest.mark.slow
def test_a_hundred_thousand_messages_do_no_harm(server):
    generator = random.Random(0)
    answers = answers_until(server, "last")
    server.stdin.write(frame({"id": "first", "method": "initialize", "params": {"capabilities": {}}}))
    asked = set()
    for number in range(MESSAGES):
        frames = message(generator, number)
        server.stdin.write(frames)
        if b'"id": %d' % number in frames and b'"jsonrpc": "2.0", "method"' in frames:
            asked.add(number)
    server.stdin.write(frame({"id": "last", "method": "quickfill/status"}))
    server.stdin.flush()
    found = answers()
    server.stdin.write(frame({"id": "bye", "method": "shutdown"}) + frame({"method": "exit"}))
    server.stdin.flush()
    assert server.wait(PATIENCE_SECONDS) == 0
    assert len(asked) > MESSAGES // 4
    assert asked <= found
