"""Mercury's API: fill, edit, apply."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest


def message(content: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": "You are Mercury."}, {"role": "user", "content": content}]


def edit_message(region: str) -> list[dict[str, str]]:
    return message(
        "<|recently_viewed_code_snippets|>\n\n<|/recently_viewed_code_snippets|>\n\n"
        "<|current_file_content|>\n"
        f"current_file_path: a.py\nfirst = 1\n<|code_to_edit|>\n{region}\n<|/code_to_edit|>\nprint(first)\n"
        "<|/current_file_content|>\n\n<|edit_diff_history|>\n\n<|/edit_diff_history|>\n"
    )


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def content_of(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return answer.json()["choices"][0]["message"]["content"]


def test_fill_is_a_completion(client: httpx.Client):
    body = {
        "model": "mercury-coder",
        "prompt": "def add(a, b):\n    return ",
        "suffix": "\n\nprint(1)",
        "max_tokens": 8,
    }
    filled, completed = client.post("/v1/fim/completions", json=body), client.post("/v1/completions", json=body)
    assert filled.json()["choices"] == completed.json()["choices"]


def test_no_suffix_may_be_written_as_the_end_of_text(client: httpx.Client):
    body = {"prompt": "def add(", "max_tokens": 8}
    with_marker = client.post("/v1/fim/completions", json=body | {"suffix": "<|endoftext|>"})
    assert with_marker.json()["choices"] == client.post("/v1/fim/completions", json=body).json()["choices"]


def test_edit_writes_at_the_cursor_and_keeps_the_rest(client: httpx.Client):
    body = {"messages": edit_message("second = <|cursor|>\nthird = 3"), "max_tokens": 6}
    content = content_of(client.post("/v1/edit/completions", json=body))
    assert content.startswith("```\nsecond = ")
    assert content.endswith("\nthird = 3\n\n```")


def test_an_edit_that_would_break_sound_code_is_left_out(client: httpx.Client):
    body = {"messages": edit_message("second = 2<|cursor|>\nthird = 3"), "max_tokens": 6}
    content = content_of(client.post("/v1/edit/completions", json=body))
    region = content.removeprefix("```\n").removesuffix("\n\n```")
    compile(f"first = 1\n{region}\nprint(first)\n", "a.py", "exec")


def test_the_language_may_be_named_where_no_path_tells_it(client: httpx.Client):
    content = edit_message("second = 2<|cursor|>\nthird = 3")[-1]["content"].replace("current_file_path: a.py\n", "")
    body = {"messages": message(content), "max_tokens": 6, "language": "python"}
    region = content_of(client.post("/v1/edit/completions", json=body)).removeprefix("```\n").removesuffix("\n\n```")
    compile(f"first = 1\n{region}\nprint(first)\n", "a.py", "exec")


def test_edit_without_a_cursor_leaves_sound_code_as_it_is(client: httpx.Client):
    body = {"messages": edit_message("second = 2"), "max_tokens": 6}
    assert content_of(client.post("/v1/edit/completions", json=body)) == "```\nsecond = 2\n\n```"


def test_a_streamed_edit_comes_in_one_piece(client: httpx.Client):
    body = {"messages": edit_message("second = <|cursor|>"), "max_tokens": 6}
    whole = content_of(client.post("/v1/edit/completions", json=body))
    streamed = events(client.post("/v1/edit/completions", json=body | {"stream": True}))
    assert "".join(chunk["choices"][0]["delta"]["content"] or "" for chunk in streamed) == whole
    assert streamed[-1]["choices"][0]["finish_reason"] == "stop"


def test_apply_gives_the_whole_file(client: httpx.Client):
    content = "<|original_code|>\nx = 1\n<|/original_code|>\n\n<|update_snippet|>\nx = 2\n<|/update_snippet|>"
    assert content_of(client.post("/v1/apply/completions", json={"messages": message(content)})).strip() == "x = 2"


def test_apply_keeps_what_the_update_leaves_out(client: httpx.Client):
    code, update = "x = 1\ny = 2\nz = 3", "# ... existing code ...\nz = 4"
    content = f"<|original_code|>\n{code}\n<|/original_code|>\n\n<|update_snippet|>\n{update}\n<|/update_snippet|>"
    answer = client.post("/v1/apply/completions", json={"messages": message(content)})
    assert content_of(answer).strip() == "x = 1\ny = 2\nz = 4"


def test_apply_that_would_break_the_file_is_refused(client: httpx.Client):
    content = "<|original_code|>\nx = 1\n<|/original_code|>\n<|update_snippet|>\ndef (:\n<|/update_snippet|>"
    answer = client.post("/v1/apply/completions", json={"messages": message(content)})
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/v1/edit/completions", "/v1/apply/completions"])
@pytest.mark.parametrize("messages", [message("hello"), [{"role": "system", "content": "hello"}]])
def test_a_message_without_tags_is_refused(client: httpx.Client, path: str, messages: list[dict[str, str]]):
    answer = client.post(path, json={"messages": messages})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_diffusing_streams_the_whole_message_after_each_pass(client: httpx.Client):
    body = {
        "messages": [{"role": "user", "content": "def add(first, second):"}],
        "max_tokens": 8,
        "stream": True,
        "diffusing": True,
        "policy": "threshold:0.3",
        "canvas_size": 8,
    }
    streamed = events(client.post("/v1/chat/completions", json=body))
    contents = [chunk["choices"][0]["delta"]["content"] for chunk in streamed]
    assert all(content.startswith("```python\ndef add(first, second):") for content in contents)
    assert any("\N{LIGHT SHADE}" in content for content in contents)
    assert contents[-1] == content_of(client.post("/v1/chat/completions", json=body | {"stream": False}))
