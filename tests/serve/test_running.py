"""The server as a process: when it starts, when clients leave, when it is told to stop."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from coder.engine.engine import Engine
from coder.model.runtime import Runtime
from tests.serve.in_process import HeldRuntime, eventually, serving
from tests.serve.running_server import PATIENCE, RunningServer, command, running

LONG = {
    "raw": True,
    "prompt": "def add(first, second):\n",
    "max_tokens": 400,
    "policy": "autoregressive",
    "stream": True,
}


@pytest.fixture
def held(engine: Engine, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine that runs no pass before it is allowed."""
    monkeypatch.setattr(runtime, "__class__", HeldRuntime)
    monkeypatch.setattr(HeldRuntime, "allowed", threading.Semaphore(0))
    monkeypatch.setattr(HeldRuntime, "passes", 0)
    return engine


def counted(client: httpx.Client, line: str) -> bool:
    return line in client.get("/metrics").text.splitlines()


def test_a_client_that_leaves_costs_no_more_than_a_pass(held: Engine):
    with serving(held) as server, server.client() as client:
        HeldRuntime.allowed.release(4)
        with client.stream("POST", "/v1/completions", json=LONG) as answer:
            next(answer.iter_lines())
        eventually(lambda: counted(client, 'quickfill_requests_total{path="/v1/completions",status="499"} 1.0'))
        HeldRuntime.allowed.release(1000)
        eventually(lambda: counted(client, "quickfill_running 0.0"))
    assert HeldRuntime.passes <= 5


def test_a_full_server_says_when_to_come_again(held: Engine):
    with serving(held, together=1, queue=0) as server, server.client() as client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.post, "/v1/completions", json=LONG | {"stream": False, "max_tokens": 2})
        eventually(lambda: counted(client, "quickfill_running 1.0"))
        refused = client.post("/v1/completions", json=LONG)
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) >= 1
        assert refused.json()["error"]["type"] == "rate_limit_error"
        HeldRuntime.allowed.release(1000)
        assert first.result(PATIENCE).status_code == 200


def test_a_server_that_is_about_to_stop_says_so(engine: Engine):
    with serving(engine) as server, server.client() as client:
        assert client.get("/healthz").status_code == 200
        server.service.stopping = True
        assert client.get("/healthz").status_code == 503
        refused = client.post("/v1/completions", json=LONG)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")


def test_an_error_of_our_own_is_told_without_its_details(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    def broken(*arguments: object) -> Iterator[None]:
        raise RuntimeError("the secret of the cellar")
        yield

    monkeypatch.setattr(engine, "stream", broken)
    with serving(engine) as server, server.client() as client:
        answer = client.post("/v1/completions", json=LONG | {"stream": False})
        assert answer.status_code == 500
        assert "cellar" not in answer.text
        assert answer.json()["error"]["type"] == "server_error"
        assert client.get("/healthz").status_code == 200


def test_what_was_begun_is_finished_when_the_server_is_told_to_stop(checkpoint: Path, cache_folder: Path):
    with running(checkpoint, cache_folder) as server, server.client() as client:
        with client.stream("POST", "/v1/completions", json=LONG) as answer:
            lines = (line.removeprefix("data: ") for line in answer.iter_lines() if line)
            chunks = [next(lines)]
            server.terminate()
            chunks += lines
        assert chunks[-1] == "[DONE]"
        assert json.loads(chunks[-2])["choices"][0]["finish_reason"] in ("stop", "length")
        assert server.process.wait(PATIENCE) == 0
        with pytest.raises(httpx.TransportError):
            client.get("/healthz")
    assert server.errors == []


def test_killed_clients_leave_nothing_behind(server: RunningServer):
    """Processes that are killed while they read an answer."""
    program = f"""
import http.client, json
connection = http.client.HTTPConnection({server.address.removeprefix("http://")!r})
connection.request("POST", "/v1/completions", json.dumps({LONG!r}))
print(connection.getresponse().read(10), flush=True)
input()
"""
    processes = [
        subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline()
        process.kill()
        process.communicate(timeout=PATIENCE)
    with server.client() as client:
        eventually(lambda: counted(client, "quickfill_running 0.0"))
        eventually(lambda: counted(client, "quickfill_waiting 0.0"))
        assert client.get("/healthz").status_code == 200


def test_a_port_that_is_taken(server: RunningServer, checkpoint: Path):
    port = server.address.rpartition(":")[2]
    arguments = [command(), "serve", "--port", port, "--model", str(checkpoint), "--runtime", "onnx"]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 2
    assert f"port {port} cannot be listened on" in done.stderr


def test_for_others_only_with_a_key():
    done = subprocess.run(
        [command(), "serve", "--host", "0.0.0.0"], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 2
    assert "QUICKFILL_API_KEY" in done.stderr
