"""An engine behind a server: what is asked, what is understood, and that nothing goes anywhere else."""

from __future__ import annotations

import threading

import pytest

from coder.api.completion import Completion, CompletionRequest, Decoding, Snippet, Template, Where
from coder.api.text_requests import Edited, EditRequest, Filled, FillRequest, HoleUpdate
from coder.errors import InputError, QuickfillError
from lsp.engine.errors import EngineLostError, EngineRefusedError, ServerLostError
from lsp.engine.remote.address import ServerAddress
from lsp.engine.remote.client import RemoteEngine
from tests.lsp.engine.remote.fake_server import ABILITIES, COMPLETION, PATIENCE, UPDATE, FakeServer, Reply, fake_server

REQUEST = CompletionRequest("x = ", where=Where(path="a.py"), decoding=Decoding(deadline_ms=60_000))
ANSWER = {"type": "answer", "answer": COMPLETION}


def connect(server: FakeServer, key: str | None = None) -> RemoteEngine:
    return RemoteEngine(ServerAddress.parse(server.url), key)


def test_a_completion_is_streamed():
    with fake_server(complete=Reply.events({"type": "update", "hole": 0, "update": UPDATE}, ANSWER)) as server:
        update, completion = connect(server).stream(REQUEST)
    assert (update.settled, [slot.text for slot in update.slots]) == ("ans", [None])  # type: ignore[union-attr]
    assert isinstance(completion, Completion)
    assert (completion.text, completion.statistics.mean_confidence) == ("answer", 0.5)


def test_what_is_asked_is_the_request_but_for_what_the_server_does_not_have():
    request = CompletionRequest(
        "é = ", template=Template(("a", "b")), snippets=(Snippet("b.py", "y"),), where=Where(workspace="/x")
    )
    with fake_server(complete=Reply.events(ANSWER)) as server:
        connect(server, "secret").complete(request)
        (path, _, key), (_, body, _) = server.asked
    assert (path, key) == ("/quickfill/v1/info", "Bearer secret")
    assert (body["prefix"], body["template"], body["stream"]) == ("é = ", ["a", "b"], True)
    assert body["snippets"] == [{"path": "b.py", "text": "y"}]
    assert "workspace" not in body


def test_other_questions():
    filled = {"text": "", "middles": [COMPLETION], "joint": False, "passes": 1, "seconds": 0.1}
    edited = {"text": "y", "changes": [], "score_before": 0.0, "score_after": 0.0, "passes": 1, "seconds": 0.1}
    score = {"log_probability": -1.0, "end_log_probability": -2.0, "tokens": 1}
    answers = {"edit": edited, "score": score, "prefill": True}
    replies = {name: Reply.of({"answer": answer}) for name, answer in answers.items()}
    holes = Reply.events({"type": "update", "hole": 1, "update": UPDATE}, {"type": "answer", "answer": filled})
    with fake_server(**replies, fill=holes) as server:
        engine = connect(server)
        update, answer = engine.stream_fill(FillRequest(("a", "b")))
        assert isinstance(update, HoleUpdate) and (update.hole, update.canvas.settled) == (1, "ans")
        assert isinstance(answer, Filled) and answer.middles[0].text == "answer"
        (rewritten,) = engine.stream_edit(EditRequest("x", 0, 1))
        assert isinstance(rewritten, Edited) and rewritten.text == "y"
        assert engine.score("a", "b", "c").end_log_probability == -2.0
        assert engine.prefill(REQUEST) is True
        status = engine.status()
    assert status.abilities == ABILITIES
    assert (status.model, status.version, status.shared, status.process_id) == ("quickfill", "v0", True, None)


@pytest.mark.parametrize("how", ["cancelled", "left", "closed"])
def test_who_cancels_leaves_the_server(how: str):
    with fake_server(complete=Reply.events({"type": "update", "hole": 0, "update": UPDATE}, endless=True)) as server:
        engine, cancelled = connect(server), threading.Event()
        events = engine.stream(REQUEST, cancelled)
        next(events)
        if how == "cancelled":
            cancelled.set()
        elif how == "closed":
            engine.close()
        if how == "left":
            events.close()
        else:
            (completion,) = events
            assert isinstance(completion, Completion) and completion.finish_reason == "cancelled"
        assert server.left.acquire(timeout=PATIENCE)


@pytest.mark.parametrize(
    ("reply", "error", "said"),
    [
        (Reply.of({"error": {"message": "no such policy"}}, 400), InputError, "no such policy"),
        (Reply.of({"error": {"message": "too many wait"}}, 429), EngineRefusedError, "too many wait"),
        (Reply(b"", 500), EngineRefusedError, "status 500"),
        (Reply.of({"error": {"message": "no key"}}, 401), QuickfillError, "apiKey or QUICKFILL_API_KEY"),
        (Reply(b"<html>", 404), QuickfillError, "no Quickfill server"),
        (
            Reply.events({"error": {"message": "the time is over", "type": "server_error", "code": 503}}),
            EngineRefusedError,
            "the time is over",
        ),
        (Reply.events({"type": "update", "update": 3}), EngineLostError, "no answer"),
        (Reply(b"data: {\n\n"), EngineLostError, "no answer"),
        (Reply.events(), ServerLostError, "in the middle"),
    ],
)
def test_what_a_server_says_instead_of_an_answer(reply: Reply, error: type[Exception], said: str):
    with fake_server(complete=reply) as server, pytest.raises(error, match=said):
        connect(server).complete(REQUEST)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int):
    with fake_server(complete=Reply.events(ANSWER)) as other:
        moved = Reply(b"", status, {"Location": f"{other.url}/quickfill/v1/complete"})
        with fake_server(complete=moved) as server, pytest.raises(QuickfillError, match=f"status {status}"):
            connect(server).complete(REQUEST)
        assert other.asked == []


def test_no_proxy_is_told(monkeypatch: pytest.MonkeyPatch):
    with fake_server(complete=Reply.events(ANSWER)) as proxy, fake_server(complete=Reply.events(ANSWER)) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert connect(server).complete(REQUEST).text == "answer"
        assert proxy.asked == []


def test_a_server_that_is_not_there_is_lost():
    with fake_server() as server:
        engine = connect(server)
    with pytest.raises(ServerLostError, match="does not answer"):
        engine.complete(REQUEST)
    with pytest.raises(ServerLostError, match="does not answer"):
        connect(server)


def test_text_that_is_none_is_refused_before_it_is_sent():
    with fake_server() as server:
        engine = connect(server)
        with pytest.raises(InputError, match="character that is none"):
            engine.complete(CompletionRequest("\ud800"))


@pytest.mark.parametrize(
    ("url", "host", "port", "folder"),
    [
        ("http://localhost:8477", "localhost", 8477, ""),
        ("https://code.example.org/models/", "code.example.org", 443, "/models"),
        ("http://[::1]:80", "::1", 80, ""),
    ],
)
def test_addresses(url: str, host: str, port: int, folder: str):
    address = ServerAddress.parse(url)
    assert (address.host, address.port, address.folder) == (host, port, folder)
    assert address.secure is url.startswith("https")


@pytest.mark.parametrize(
    "url", ["", "localhost:8477", "ftp://x", "http://", "http://a:b@c", "http://a?b", "http://a:99999", "http://a/b c"]
)
def test_what_is_no_address(url: str):
    with pytest.raises(ValueError):
        ServerAddress.parse(url)
