"""llama.cpp's API, with the requests of llama.vim and llama.vscode as these send them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from coder.api.completion import Where
from coder.serve.llama_cpp.llama_cpp_types import InfillBody

PREFIX = "import math\n\n\ndef area(radius):\n"
LINE = "    return "
SUFFIX = "\n\n\nprint(area(2))\n"

LLAMA_VIM = {
    "id_slot": 0,
    "input_prefix": PREFIX,
    "input_suffix": SUFFIX,
    "input_extra": [{"text": "def length():\n    pass\n", "time": [1, 2], "filename": "lines.py"}],
    "prompt": LINE,
    "n_predict": 16,
    "stop": [],
    "n_indent": 4,
    "top_k": 40,
    "top_p": 0.90,
    "samplers": ["top_k", "top_p", "infill"],
    "stream": False,
    "cache_prompt": True,
    "t_max_prompt_ms": 60000,
    "t_max_predict_ms": 60000,
    "response_fields": ["content", "timings/prompt_n", "timings/predicted_ms", "truncated", "tokens_cached"],
}
"""With more time than the plugin gives, so that no test depends on how fast the machine is."""

LLAMA_VSCODE = {
    "input_prefix": PREFIX,
    "input_suffix": SUFFIX,
    "input_extra": [],
    "prompt": LINE,
    "n_predict": 16,
    "top_k": 40,
    "top_p": 0.99,
    "stream": False,
    "samplers": ["top_k", "top_p", "infill"],
    "cache_prompt": True,
    "n_indent": 4,
    "t_max_prompt_ms": 60000,
    "t_max_predict_ms": 60000,
}


def completed(client: httpx.Client, **more: object) -> str:
    body = {"prompt": PREFIX + LINE, "suffix": SUFFIX, "max_tokens": 16} | more
    return client.post("/v1/completions", json=body).json()["choices"][0]["text"]


def test_llama_vim_gets_the_fields_that_it_names(client: httpx.Client):
    answer = client.post("/infill", json=LLAMA_VIM).json()
    assert set(answer) == set(LLAMA_VIM["response_fields"])
    assert answer["content"] == completed(client)
    assert answer["timings/predicted_ms"] > 0
    assert answer["truncated"] is False


def test_llama_vscode_gets_everything(client: httpx.Client):
    answer = client.post("/infill", json=LLAMA_VSCODE).json()
    assert answer["content"] == completed(client)
    assert answer["timings"]["predicted_n"] == answer["tokens_predicted"] <= 16
    assert answer["stop"] is True
    assert answer["stop_type"] in ("eos", "limit")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, Where()),
        ({"path": "a.py"}, Where(path="a.py")),
        ({"language": "go", "input_extra": [{"text": "", "filename": "a.py"}]}, Where(language="go")),
        (
            {"input_extra": [{"text": "", "filename": "a/b.py"}, {"text": "", "filename": "c.pyi"}]},
            Where(language="python"),
        ),
        ({"input_extra": [{"text": "", "filename": "a.py"}, {"text": "", "filename": "c.js"}]}, Where()),
        ({"input_extra": [{"text": "", "filename": "notes"}]}, Where()),
        ({"input_extra": [{"text": ""}], "path": None, "language": None}, Where()),
    ],
)
def test_the_language_is_named_or_that_of_all_other_files(body: dict[str, Any], where: Where):
    assert InfillBody.model_validate(body).where == where


def test_a_stream_joined_is_the_answer(client: httpx.Client):
    answer = client.post("/infill", json=LLAMA_VSCODE | {"stream": True})
    parts = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line]
    assert "".join(part["content"] for part in parts) == completed(client)
    assert [part["stop"] for part in parts] == [False] * (len(parts) - 1) + [True]


def test_of_no_tokens_the_context_is_read_for_the_next_request(client: httpx.Client):
    body = LLAMA_VSCODE | {"input_prefix": "x = [1, 2, 3]\ny = {4, 5, 6}\n" * 3, "n_predict": 0}
    assert client.post("/infill", json=body).json()["content"] == ""
    answer = client.post("/infill", json=body | {"n_predict": 4}).json()
    assert answer["tokens_cached"] == answer["tokens_evaluated"] - 1


def test_a_background_update_of_llama_vim(client: httpx.Client):
    nothing = {"input_prefix": "", "input_suffix": "", "prompt": "", "n_predict": 0, "samplers": [], "temperature": 0.0}
    answer = client.post("/infill", json=LLAMA_VIM | nothing | {"response_fields": [""], "t_max_predict_ms": 1})
    assert answer.status_code == 200


def test_an_answer_ends_before_a_stop(client: httpx.Client):
    free = completed(client, raw=True)
    answer = client.post("/infill", json=LLAMA_VSCODE | {"raw": True, "stop": [free[2:4]]}).json()
    assert answer["content"] == free[: free.index(free[2:4])]
    assert (answer["stop_type"], answer["stopping_word"]) == ("word", free[2:4])


@pytest.mark.parametrize("path", ["/health", "/props", "/models", "/v1/models"])
def test_what_clients_ask_before(client: httpx.Client, path: str):
    assert client.get(path).status_code == 200


RECORDED = json.loads((Path(__file__).parent / "files" / "llama_vim.json").read_text(encoding="utf-8"))
"""What llama.vim a1c8e6e sent from a Neovim in which `return len(` was typed, its suggestion accepted, and an
instruction given about two lines."""


@pytest.mark.parametrize("sent", [sent for sent in RECORDED if sent["path"] == "/infill"])
def test_recorded_suggestions(client: httpx.Client, sent: dict[str, Any]):
    """In the plugin's own time, so the answer may be shorter than without a limit, but it is no other."""
    answer = client.post(sent["path"], json=sent["body"])
    assert answer.status_code == 200
    assert set(answer.json()) == set(sent["body"]["response_fields"])
    without_limits = sent["body"] | {"t_max_prompt_ms": None, "t_max_predict_ms": None}
    assert client.post("/infill", json=without_limits).json()["content"].startswith(answer.json()["content"])


@pytest.mark.parametrize("sent", [sent for sent in RECORDED if sent["path"] != "/infill"])
def test_recorded_instructions(client: httpx.Client, sent: dict[str, Any]):
    """The first one only warms the server up, the second one is streamed; what comes is the selection alone."""
    answer = client.post(sent["path"], json=sent["body"])
    assert answer.status_code == 200
    assert ("data: [DONE]" in answer.text) is sent["body"]["stream"]
    assert "```" not in answer.text
