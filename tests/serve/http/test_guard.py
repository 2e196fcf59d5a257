"""Who is let in, and how much of a client's time and text the server puts up with."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from coder.commands.serve import make_settings, read_keys
from coder.engine.engine import Engine
from coder.errors import InputError
from coder.serve.http.guard import is_own_name
from coder.serve.settings import ServeSettings
from tests.serve.in_process import eventually, serving
from tests.serve.running_server import PATIENCE, RunningServer, running

KEY = "a-very-secret-key"
ASK = {"prompt": "x = ", "max_tokens": 2}


@pytest.mark.parametrize("host", ["127.0.0.1:8477", "localhost", "LOCALHOST:1", "[::1]:8477", "192.168.1.2:80"])
def test_a_server_is_called_by_its_address_or_as_localhost(host: str):
    assert is_own_name(host, ServeSettings())


@pytest.mark.parametrize("host", ["", "evil.example", "localhost.evil.example:8477", "127.0.0.1.evil.example", "[::1"])
def test_no_other_name_leads_to_it(host: str):
    assert not is_own_name(host, ServeSettings())


def test_unless_it_is_given_that_name():
    assert is_own_name("models.internal:80", ServeSettings(allowed_hosts=("models.internal",)))


@pytest.mark.parametrize("path", ["/v1/models", "/healthz", "/docs", "/nothing"])
def test_a_page_whose_name_points_here_is_refused(client: httpx.Client, path: str):
    assert client.get(path, headers={"Host": "rebound.example"}).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", "https://127.0.0.1"])
def test_other_pages_may_not_ask(client: httpx.Client, origin: str):
    answer = client.post("/v1/completions", json=ASK, headers={"Origin": origin})
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]
    preflight = client.options("/v1/completions", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
    assert preflight.status_code == 403


def test_its_own_page_may(client: httpx.Client, server: RunningServer):
    assert client.post("/v1/completions", json=ASK, headers={"Origin": server.address}).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "models.internal"])
def test_an_address_for_others_demands_a_key(host: str):
    with pytest.raises(InputError, match="API key"):
        make_settings(host=host)
    assert make_settings(host=host, keys=(KEY,)).host == host


def test_keys_come_from_the_environment_and_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "keys"
    file.write_text("one\ntwo\n")
    monkeypatch.setenv("QUICKFILL_API_KEY", "three")
    assert read_keys(file) == ("three", "one", "two")
    monkeypatch.delenv("QUICKFILL_API_KEY")
    assert read_keys(None) == ()
    file.write_text("\n")
    with pytest.raises(InputError, match="holds no API key"):
        read_keys(file)
    with pytest.raises(InputError, match="cannot be read"):
        read_keys(tmp_path / "nothing")


def test_a_key_is_never_shown():
    settings = ServeSettings(keys=(SecretStr(KEY),))
    assert KEY not in f"{settings!r} {settings} {settings.model_dump()}"
    with pytest.raises(ValidationError) as refused:
        ServeSettings(keys=(KEY,), port=-1)  # type: ignore[arg-type]
    assert KEY not in str(refused.value)


def test_with_a_key(checkpoint: Path, cache_folder: Path):
    with running(checkpoint, cache_folder, QUICKFILL_API_KEY=KEY) as server, server.client() as client:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": KEY}, {"X-Api-Key": "ключ"}):
            encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
            for method, path in (("POST", "/v1/completions"), ("GET", "/metrics"), ("GET", "/nothing")):
                answer = client.request(method, path, headers=encoded)
                assert answer.status_code == 401
                assert KEY not in answer.text
        for headers in ({"Authorization": f"Bearer {KEY}"}, {"X-Api-Key": KEY}):
            assert client.post("/v1/completions", json=ASK, headers=headers).status_code == 200
        for path in ("/healthz", "/health", "/docs", "/openapi.json"):
            assert client.get(path).status_code == 200
        metrics = client.get("/metrics", headers={"X-Api-Key": KEY}).text
        server.terminate()
        assert server.process.wait(PATIENCE) == 0
    assert KEY not in metrics + "".join(server.errors)


def test_a_request_that_is_too_large_is_refused(client: httpx.Client):
    text = b'{"prompt": "' + b"x" * (4 << 20) + b'"}'
    assert client.post("/v1/completions", content=text).status_code == 413
    parts = (text[start : start + (1 << 16)] for start in range(0, len(text), 1 << 16))
    assert client.post("/v1/completions", content=parts).status_code == 413


def test_a_long_text_is_answered(client: httpx.Client):
    text = "value = 1\n" * 100_000
    body = {"prompt": text, "suffix": text, "max_tokens": 2}
    assert client.post("/v1/completions", json=body).status_code == 200
    assert client.post("/v1/completions", json={"prompt": "x" * 1_000_000, "max_tokens": 2}).status_code == 200


def test_json_as_deep_as_can_be_is_refused(client: httpx.Client):
    assert client.post("/v1/completions", content=b"[" * 1_000_000).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"1",
        b'{"prompt": "\xff\xfe"}',
        b'{"prompt": "x = \\ud83d"}',
        b'{"prompt": "x", "suffix": "\\udfff"}',
        b'{"prompt": "x", "temperature": NaN}',
        b'{"prompt": "x", "seed": ' + b"9" * 5000 + b"}",
        b'{"logit_bias": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b', "prompt": "x"}',
        '{"prompt": "x"}'.encode("utf-16"),
    ],
    ids=["nothing", "a number", "no UTF-8", "half a pair", "the other half", "NaN", "digits", "objects", "UTF-16"],
)
def test_what_is_no_request_is_refused_and_the_server_lives_on(client: httpx.Client, body: bytes):
    answer = client.post("/v1/completions", content=body)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert client.post("/v1/completions", json=ASK).status_code == 200


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * (1 << 20) + b"\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /infill HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"\x16\x03\x01\x00\xff",
    ],
    ids=["a huge header", "a huge path", "a negative length", "TLS"],
)
def test_what_is_no_http_is_refused_and_the_server_lives_on(client: httpx.Client, server: RunningServer, head: bytes):
    with connection(server.address) as end, suppress(ConnectionError):
        end.sendall(head)
        assert end.recv(100).startswith(b"HTTP/1.1 400 ")
    assert client.get("/healthz").status_code == 200


def test_a_client_that_leaves_while_it_sends_is_no_failure(engine: Engine, caplog: pytest.LogCaptureFixture):
    head = b"POST /infill HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
    with serving(engine) as server, server.client() as client:
        with connection(server.address) as end:
            end.sendall(head)
        eventually(lambda: 'quickfill_requests_total{path="/infill",status="499"}' in client.get("/metrics").text)
    assert not caplog.records


def connection(address: str) -> socket.socket:
    """A client's end, for which the system keeps little."""
    parts = urlsplit(address)
    end = socket.socket()
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 12)
    end.settimeout(PATIENCE)
    end.connect((parts.hostname or "", parts.port or 0))
    return end


@pytest.mark.parametrize("start", [b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"])
def test_a_client_that_does_not_finish_its_request_is_left(engine: Engine, start: bytes):
    with serving(engine, stall=0.2) as server, connection(server.address) as silent:
        silent.sendall(start)
        assert silent.recv(1) == b""


def test_a_client_that_does_not_send_its_text_is_told(engine: Engine):
    head = b"POST /infill HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
    with serving(engine, stall=0.2) as server, connection(server.address) as silent:
        silent.sendall(head)
        assert silent.recv(100).startswith(b"HTTP/1.1 408 ")


def test_a_client_that_does_not_take_its_answer_is_left(engine: Engine):
    """The answer is larger than what systems keep of it."""
    body = json.dumps({"prompt": "x" * 1_000_000, "echo": True, "n": 16, "max_tokens": 1}).encode()
    head = f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    with serving(engine, stall=1.0) as server, connection(server.address) as silent, server.client() as client:
        silent.sendall(head.encode() + body)
        eventually(lambda: 'quickfill_requests_total{path="/v1/completions"' in client.get("/metrics").text)
        received = 0
        with suppress(ConnectionError):
            while part := silent.recv(1 << 20):
                received += len(part)
    assert received < 16_000_000
