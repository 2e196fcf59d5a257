"""Quickfill's own API, against a real process."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from coder.api.completion import CompletionRequest
from coder.api.wire import nested
from coder.engine.engine import Engine
from tests.serve.in_process import HeldRuntime, serving
from tests.serve.test_running import counted, eventually, held

__all__ = ["held"]
ROOT = "/quickfill/v1"
PREFIX, SUFFIX = "def add(first, second):\n    ", "\n\nclass Point:\n"


def answer(client: httpx.Client, name: str, **body: Any) -> Any:
    response = client.post(f"{ROOT}/{name}", json=body)
    assert response.status_code == 200, response.text
    return response.json()["answer"]


def events(client: httpx.Client, name: str, **body: Any) -> list[dict[str, Any]]:
    with client.stream("POST", f"{ROOT}/{name}", json=body | {"stream": True}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        return [json.loads(line.removeprefix("data: ")) for line in response.iter_lines() if line]


def message(client: httpx.Client, name: str, **body: Any) -> str:
    response = client.post(f"{ROOT}/{name}", json=body)
    assert response.status_code == 400, response.text
    return response.json()["error"]["message"]


def test_a_completion_is_the_engine_s(client: httpx.Client, engine: Engine):
    body = {"prefix": PREFIX, "suffix": SUFFIX, "max_tokens": 8, "policy": "autoregressive", "shape": "raw"}
    found = answer(client, "complete", **body)
    assert found["text"] == engine.complete(nested(CompletionRequest, body)).text
    assert found["statistics"]["tokens"] <= 8
    assert found["finish_reason"] in ("end", "length")


def test_a_stream_shows_the_canvas_and_ends_with_the_answer(client: httpx.Client):
    body = {"prefix": PREFIX, "max_tokens": 8, "policy": "threshold:0.3", "canvas_size": 8, "shape": "raw"}
    *updates, last = events(client, "complete", **body)
    assert {update["type"] for update in updates} == {"update"}
    canvases = [update["update"] for update in updates]
    assert any(slot["text"] is None for canvas in canvases for slot in canvas["slots"])
    assert any(slot["new"] and 0.0 < slot["confidence"] <= 1.0 for canvas in canvases for slot in canvas["slots"])
    assert last["type"] == "answer"
    assert last["answer"]["text"] == canvases[-1]["settled"] == answer(client, "complete", **body)["text"]


def test_several_different_answers(client: httpx.Client):
    found = answer(client, "complete", prefix=PREFIX, max_tokens=8, samples=3, seed=1, shape="raw")
    texts = [found["text"], *(other["text"] for other in found["alternatives"])]
    assert 1 < len(texts) == len(set(texts)) <= 3


def test_what_an_answer_has_to_be(client: httpx.Client):
    found = answer(client, "complete", prefix=PREFIX, max_tokens=8, constraints={"max_characters": 3})
    assert len(found["text"]) <= 3
    found = answer(client, "complete", prefix="x = ", template=["sum(", ")"], max_tokens=4)
    assert found["text"].startswith("sum(") and found["text"].endswith(")")


def test_several_holes(client: httpx.Client):
    body = {"texts": ["a = ", "\nb = ", "\n"], "max_tokens": 4, "policy": "threshold:0.3"}
    *updates, last = events(client, "fill", **body)
    filled = last["answer"]
    first, second = (middle["text"] for middle in filled["middles"])
    assert filled["text"] == f"a = {first}\nb = {second}\n"
    assert [update["hole"] for update in updates] == sorted(update["hole"] for update in updates)
    assert {update["hole"] for update in updates} == {0, 1}
    assert answer(client, "fill", **body)["text"] == filled["text"]


def test_a_repair_an_edit_and_a_score(client: httpx.Client):
    repaired = answer(client, "repair", text="def f(x:\n    return x\n", language="python")
    assert repaired["text"] == "def f(x):\n    return x\n"
    hole = {"text": "x = <fill>\n", "start": 4, "end": 10, "language": "python"}
    edited = answer(client, "edit", instruction="two", max_tokens=4, **hole)
    assert {"text", "changes", "score_before", "score_after"} <= edited.keys()
    score = answer(client, "score", prefix="x = ", middle="1")
    assert score["log_probability"] < 0.0 and score["tokens"] > 0


@pytest.mark.parametrize(
    "text",
    [
        "def f(xs)\n    for x in xs\n        print(x)\n    retrun xs\n",
        "def f(xs):\n    for x in xs,\n        print(x)\n    return xs\n",
        "def f(xs:\n    = = 0 ) [\n    return xs\n",
    ],
)
def test_a_repair_is_sound_or_says_which_line_is_not(client: httpx.Client, text: str):
    repaired = answer(client, "repair", text=text, language="python")
    if repaired["broken_line"] is None:
        compile(repaired["text"], "a.py", "exec")
    else:
        assert (repaired["text"], repaired["changes"]) == (text, [])


def test_apply_merges_or_says_why_not(client: httpx.Client):
    edit = "# ... existing code ...\ny = 5\n"
    applied = answer(client, "apply", text="x = 1\ny = 2\n", edit=edit, path="a.py")
    assert applied["text"] == "x = 1\ny = 5\n"
    assert applied["changes"] == [{"start": 10, "end": 11, "text": "5"}]
    assert "name it" in message(client, "apply", text="x = 1\n", edit=edit)
    assert "does not parse" in message(client, "apply", text="x = 1\n", edit="def f(:", language="python")


def test_apply_asks_which_reading_is_meant_where_they_differ_in_what_is_lost(client: httpx.Client):
    body = {"text": "x = 1\nshow(x)\nx = 2\nshow(x)\n", "edit": "# ...\nx = 3\n# ...\n", "path": "a.py"}
    assert "reading 2 removes 1 line" in message(client, "apply", **body)
    texts = [answer(client, "apply", **body, reading=number)["text"] for number in (1, 2)]
    assert {text.replace("3", "1") for text in texts} >= {"x = 1\nshow(x)\nx = 2\nshow(x)\n"}
    kept = answer(client, "apply", text="a = 1\nb(a)\na = 2\nc(a)\n", edit="# ...\na = 2\nc(a, 3)\n", path="a.py")
    assert (kept["text"], kept["parts"]) == ("a = 1\nb(a)\na = 2\nc(a, 3)\n", 1)


def test_a_context_is_read_ahead(client: httpx.Client):
    prefix = "class Ahead:\n    def __init__(self, x, y):\n        self.x = x\n" * 2
    assert answer(client, "prefill", prefix=prefix, max_tokens=1) is True
    statistics = answer(client, "complete", prefix=prefix, max_tokens=1)["statistics"]
    assert statistics["prefill_tokens"] == 0 and statistics["reused_tokens"] > 0


def test_who_leaves_ends_the_work_within_a_pass(held: Engine):
    body = {"prefix": PREFIX, "max_tokens": 400, "stream": True, "policy": "autoregressive"}
    with serving(held) as server, server.client() as client:
        HeldRuntime.allowed.release(4)
        with client.stream("POST", f"{ROOT}/complete", json=body) as response:
            assert next(response.iter_lines())
        line = f'quickfill_requests_total{{path="{ROOT}/complete",status="499"}} 1.0'
        eventually(lambda: counted(client, line))
        HeldRuntime.allowed.release(1000)
        eventually(lambda: counted(client, "quickfill_running 0.0"))
    assert HeldRuntime.passes <= 5


def test_what_is_served(client: httpx.Client):
    info = client.get(f"{ROOT}/info").json()
    assert (info["version"], info["canvas_sizes"], info["most_tokens"]) == ("tiny", [4, 8], 2048)
    assert info["abilities"]["holes"] is False
    assert "ONNX" in info["runtime"]["runtime"]


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("complete", {}, "prefix: Field required"),
        ("complete", {"prefix": "", "samples": 99}, "may be 16 at most"),
        ("complete", {"prefix": "", "policy": "hope"}, "hope"),
        ("complete", {"prefix": "", "constraints": {"min_lines": 3, "max_lines": 1}}, "no answer has"),
        ("fill", {"texts": ["alone"]}, "texts"),
        ("edit", {"text": "x", "start": 3, "end": 9}, "outside the text"),
        ("edit", {"text": "x = 1", "start": 0, "end": 5, "instruction": "two"}, "has not learned to rewrite code"),
        ("repair", {"text": "x", "start": 3}, "outside the text"),
    ],
)
def test_what_cannot_be_done_is_said(client: httpx.Client, name: str, body: dict[str, Any], said: str):
    assert said in message(client, name, **body)
