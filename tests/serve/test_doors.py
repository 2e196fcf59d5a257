"""Every HTTP door gives the same good answer: a real server on a socket, a real engine, a scripted model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.scripted_runtime import scripted_engine
from tests.serve.in_process import serving

FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"

PLACES = {
    "tabs": ("def f(a, b):\n\ta += 1\n\t", "\n", "    return a * b\n", "return a * b"),
    "go": ("func f(a int) int {\n\t", "\n}\n", "    return a", "return a"),
    "javascript": ("function g(a) {\n\t", "\n}\n", "    return a;", "return a;"),
    "two blanks": ("function f(a) {\n  ", "\n}\n", "    return a;", "return a;"),
    "twice indented": ("def mean(values):\n    ", "\n", "        return 0", "return 0"),
    "next function": ("def g(a):\n    ", "\n", "    return 0\n\n\ndef h(a):\n    return 1\n", "return 0"),
    "formatted string": ('print(f"hello {', '}")\n', 'name}")', "name"),
    "call": ("total = add(", ")\n", "1, 2)\n", "1, 2"),
    "comment": ("# The sum", "\n", " of a and b   \t ", " of a and b"),
    "line above": ("class A:\n    def f(self):\n        return 7\n", "\n    x = 1\n", "        return 7\n", ""),
    "loop": ("w = 1\n", "\n", "-s" * 200, ""),
    "lines in a loop": ("v = 1\n", "\n", "z = f(z)\n" * 60, "z = f(z)"),
    "zeros in a number": ("u = 1\n", "\n", "á + 0." + "0" * 200, ""),
    "zeros in a row": ("t = 1\n", "\n", "1, " + "0, " * 100, ""),
    "half a word": ("digest_me", "(x)\n", "thod", "thod"),
}
SCRIPT = {prefix.rstrip(" \t"): written for prefix, _, written, _ in PLACES.values()} | {
    f"x = '{FAMILY}', '": f"{FAMILY}'",
    "ended": "",
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    engine = scripted_engine(tmp_path_factory.mktemp("tiny"), SCRIPT)
    with serving(engine) as server, server.client() as client:
        yield client
    engine.close()


def answers(client: httpx.Client, prefix: str, suffix: str, **more: Any) -> dict[str, str]:
    """The text that each door gives."""
    completion = {"prompt": prefix, "suffix": suffix} | more
    native = {"prefix": prefix, "suffix": suffix, "replace_brackets": False}
    before, line_break, line = prefix.rpartition("\n")
    infill = {"input_prefix": before + line_break, "prompt": line, "input_suffix": suffix} | more
    replies = {
        "/v1/completions": completion,
        "/v1/fim/completions": completion,
        "/infill": infill,
        "/quickfill/v1/complete": native | ({"shape": "raw"} if more.get("raw") else {}),
    }
    texts = {}
    for path, body in replies.items():
        reply = client.post(path, json=body).json()
        found = reply["choices"][0]["text"] if "choices" in reply else reply.get("content", reply.get("answer"))
        texts[path] = found["text"] if isinstance(found, dict) else found
    return texts


def streamed(client: httpx.Client, path: str, body: dict[str, Any]) -> str:
    with client.stream("POST", path, json=body | {"stream": True}) as response:
        events = [line.removeprefix("data: ") for line in response.iter_lines() if line.startswith("data: {")]
    parts = [json.loads(event) for event in events]
    return "".join(part["choices"][0]["text"] if "choices" in part else part["content"] for part in parts)


@pytest.mark.parametrize("place", PLACES)
def test_every_door_gives_the_same_good_answer(client: httpx.Client, place: str):
    prefix, suffix, _, text = PLACES[place]
    assert set(answers(client, prefix, suffix).values()) == {text}


@pytest.mark.parametrize("place", PLACES)
def test_a_stream_adds_up_to_the_answer(client: httpx.Client, place: str):
    prefix, suffix, _, text = PLACES[place]
    assert streamed(client, "/v1/completions", {"prompt": prefix, "suffix": suffix}) == text
    assert streamed(client, "/infill", {"input_prefix": prefix, "input_suffix": suffix}) == text


def test_raw_text_is_the_models(client: httpx.Client):
    prefix, suffix, written, _ = PLACES["call"]
    assert set(answers(client, prefix, suffix, raw=True).values()) == {written}


@pytest.mark.parametrize("tokens", range(1, 9))
def test_half_a_character_is_never_sent(client: httpx.Client, tokens: int):
    infill = {"input_prefix": f"x = '{FAMILY}', '", "input_suffix": "", "n_predict": tokens}
    assert "\ufffd" not in client.post("/infill", json=infill).json()["content"]
    assert "\ufffd" not in streamed(client, "/infill", infill)
    body = {"prompt": f"x = '{FAMILY}', '", "max_tokens": tokens}
    for more in ({}, {"raw": True}):
        assert "\ufffd" not in client.post("/v1/completions", json=body | more).json()["choices"][0]["text"]
        assert "\ufffd" not in streamed(client, "/v1/completions", body | more)


@pytest.mark.parametrize("prompt", ["total = add(", "ended", "x = 1\ny =", f"x = '{FAMILY}', '"])
def test_a_harness_finds_a_row_for_each_token_of_the_prompt_and_one_for_the_written(client: httpx.Client, prompt: str):
    """The request of lm-evaluation-harness."""
    body = {"prompt": prompt, "echo": True, "logprobs": 1, "max_tokens": 1, "temperature": 0}
    choice = client.post("/v1/completions", json=body).json()["choices"][0]
    rows = choice["logprobs"]
    alone = client.post("/v1/completions", json=body | {"max_tokens": 0}).json()["choices"][0]["logprobs"]
    assert len(rows["tokens"]) == len(rows["token_logprobs"]) == len(rows["top_logprobs"]) == len(alone["tokens"]) + 1
    assert rows["tokens"][:-1] == alone["tokens"]
    assert "".join(rows["tokens"]) == choice["text"]
    assert choice["text"].startswith(prompt)
    assert rows["token_logprobs"][-1] == pytest.approx(-0.105, abs=0.01)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/completions", {"prompt": "total = add(", "suffix": ")\n"}),
        ("/v1/fim/completions", {"prompt": "total = add(", "suffix": ")\n"}),
        ("/infill", {"input_prefix": "total = add(", "input_suffix": ")\n"}),
        ("/quickfill/v1/complete", {"prefix": "total = add(", "suffix": ")\n"}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "def f(a):\n"}]}),
    ],
)
def test_null_is_absent(client: httpx.Client, path: str, body: dict[str, Any]):
    schema = client.get("/openapi.json").json()
    operation = schema["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    fields = schema["components"]["schemas"][operation["$ref"].rpartition("/")[2]]["properties"]
    nulls = {name: None for name in fields if name not in body}
    assert len(nulls) > 5
    answer = client.post(path, json=nulls | body)
    assert answer.status_code == 200, answer.text
    assert len(answer.text) > 20


def test_a_history_with_calls_of_tools_is_read(client: httpx.Client):
    call = {"id": "1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "```python\ndef g(a):\n```"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "12 files"},
    ]
    answer = client.post("/v1/chat/completions", json={"messages": messages})
    assert answer.status_code == 200, answer.text
    assert client.post("/v1/chat/completions", json={"messages": messages[1:2]}).status_code == 400


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/fim/completions", "/v1/chat/completions"])
def test_fewer_than_no_tokens_are_refused(client: httpx.Client, path: str):
    body = {"prompt": "x", "messages": [{"role": "user", "content": "x"}], "max_tokens": -1}
    answer = client.post(path, json=body)
    assert answer.status_code == 400
    assert "max_tokens" in answer.json()["error"]["message"]
