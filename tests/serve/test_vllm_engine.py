"""`quickfill serve --engine vllm`: what our own engine answers, with the model somewhere else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, Constraints, Decoding, Where
from coder.api.text_requests import EditRequest, FillRequest
from coder.cli import app
from coder.engine.engine import Engine
from coder.engine.runtimes import load_runtime
from coder.errors import InputError, UnreachableError
from coder.model.checkpoint.opening import open_checkpoint
from coder.vllm.client import VllmClient
from coder.vllm.engine import VllmEngine
from tests.held_out import holes
from tests.serve.in_process import serving
from tests.serve.vllm_stand_in import REFUSED_POLICY, StandIn, standing_in

POLICIES = ("auto", "autoregressive", "verified", "threshold:0.5", "fixed:3")


@pytest.fixture(scope="module")
def vllm(checkpoint: Path) -> Iterator[StandIn]:
    with standing_in(load_runtime(open_checkpoint(str(checkpoint)), "onnx", 1)) as server:
        yield server


@pytest.fixture(scope="module")
def far(vllm: StandIn, checkpoint: Path) -> Iterator[VllmEngine]:
    engine = VllmEngine(VllmClient(vllm.url), open_checkpoint(str(checkpoint)), str(checkpoint))
    yield engine
    engine.close()


@pytest.mark.parametrize("policy", POLICIES)
def test_a_completion_is_that_of_our_own_engine(engine: Engine, far: VllmEngine, policy: str):
    for prefix, suffix, _ in holes(3, seed=len(policy)):
        request = CompletionRequest(
            prefix[-200:], suffix[:100], decoding=Decoding(policy=policy, canvas_size=8, max_tokens=20)
        )
        expected, answer = engine.complete(request), far.complete(request)
        assert (answer.text, answer.finish_reason, answer.replaces, answer.tokens) == (
            expected.text,
            expected.finish_reason,
            expected.replaces,
            expected.tokens,
        )


def test_a_hole_inside_a_line_and_a_region_are_written_too(far: VllmEngine):
    filled = far.fill(FillRequest(("total = add(", ", 2)\nprint(", ")\n"), decoding=Decoding(max_tokens=8)))
    assert len(filled.middles) == 2
    assert filled.text.startswith("total = add(")
    text = "def add(a, b):\n    pass\n"
    assert far.edit(
        EditRequest(text, 19, 23, "return the sum", where=Where(path="add.py"), decoding=Decoding(max_tokens=8))
    ).text.startswith("def add")


@pytest.mark.parametrize("most_lines", [1, 2])
def test_an_answer_has_no_more_lines_than_it_may(far: VllmEngine, most_lines: int):
    for prefix, suffix, _ in holes(6, seed=most_lines):
        request = CompletionRequest(prefix[-200:], suffix[:100], shape="raw", decoding=Decoding(max_tokens=30))
        lines = far.complete(request).text.split("\n")
        bounded = far.complete(replace(request, constraints=Constraints(max_lines=most_lines)))
        assert bounded.text == "\n".join(lines[:most_lines])


def test_other_bounds_are_refused(far: VllmEngine):
    with pytest.raises(InputError, match="constraints: not possible"):
        far.complete(CompletionRequest("x = ", constraints=Constraints(max_lines=1, max_characters=4)))


def test_at_its_deadline_and_when_cancelled_there_is_what_there_is(vllm: StandIn, far: VllmEngine):
    request = CompletionRequest("def add(a, b):\n", decoding=Decoding(policy="fixed:1", canvas_size=2, max_tokens=40))
    vllm.held.clear()
    try:
        assert (
            far.complete(CompletionRequest("def add(", decoding=Decoding(deadline_ms=200.0))).finish_reason
            == "deadline"
        )
        cancelled = threading.Event()
        cancelled.set()
        assert far.complete(request, cancelled).finish_reason == "cancelled"
        events = far.stream(request)
        while not (isinstance(update := next(events), CanvasUpdate) and update.tokens):
            pass
        events.close()
    finally:
        vllm.held.set()


@pytest.mark.parametrize(("suffix", "expects"), [("\n", "block"), (" + second\n", "line")])
def test_it_says_whether_a_line_or_a_block_is_expected(vllm: StandIn, far: VllmEngine, suffix: str, expects: str):
    far.complete(CompletionRequest("total = ", suffix, decoding=Decoding(max_tokens=4)))
    assert vllm.bodies[-1]["vllm_xargs"]["expects"] == expects


@pytest.mark.parametrize(
    "wanted", [{"length": 3}, {"samples": 2}, {"syntax_rounds": 1}, {"remasking": "syntax"}], ids=str
)
def test_what_only_our_own_sampler_can_do_is_refused(far: VllmEngine, wanted):
    with pytest.raises(InputError, match="not possible where vLLM"):
        far.complete(CompletionRequest("x = ", **wanted))


def test_fill_edit_and_apply_over_http(vllm: StandIn, far: VllmEngine):
    with serving(far) as server, server.client() as client:
        body = {"prompt": "def add(a, b):\n    return ", "suffix": "\n", "max_tokens": 8, "policy": "verified"}
        for path in ("/v1/fim/completions", "/v1/completions"):
            answer = client.post(path, json=body)
            assert answer.status_code == 200
            assert answer.json()["choices"][0]["finish_reason"] in ("stop", "length")
        assert vllm.bodies[-1]["max_tokens"] == 8
        content = (
            "<|current_file_content|>\ncurrent_file_path: a.py\n<|code_to_edit|>\nx = <|cursor|>\n<|/code_to_edit|>\n"
            "<|/current_file_content|>"
        )
        edited = client.post("/v1/edit/completions", json=_message(content))
        assert edited.json()["choices"][0]["message"]["content"].startswith("```\nx = ")
        content = "<|original_code|>\nx = 1\n<|/original_code|>\n<|update_snippet|>\nx = 2\n<|/update_snippet|>"
        applied = client.post("/v1/apply/completions", json=_message(content) | {"language": "python"})
        assert applied.json()["choices"][0]["message"]["content"] == "x = 2"
        refused = client.post("/v1/completions", json=body | {"logprobs": 1})
        assert refused.status_code == 400 and "log-probabilities" in refused.json()["error"]["message"]


def _message(content: str) -> dict:
    return {"messages": [{"role": "user", "content": content}], "max_tokens": 8}


def test_where_vllm_refuses_or_is_gone_the_client_is_told(checkpoint: Path):
    with standing_in(load_runtime(open_checkpoint(str(checkpoint)), "onnx", 1)) as vllm:
        far = VllmEngine(VllmClient(vllm.url + "/v1/", "key"), open_checkpoint(str(checkpoint)), str(checkpoint))
        with pytest.raises(UnreachableError, match="no such policy"):
            far.complete(CompletionRequest("x = ", decoding=Decoding(policy=REFUSED_POLICY)))
        assert isinstance(far.complete(CompletionRequest("x = ", decoding=Decoding(max_tokens=2))), Completion)
    with serving(far) as server, server.client() as client:
        answer = client.post("/v1/completions", json={"prompt": "x = ", "max_tokens": 2})
        assert answer.status_code == 503
        assert "does not answer" in answer.json()["error"]["message"]
    far.close()


def test_without_a_vllm_there_is_no_server(checkpoint: Path):
    command = ["serve", "--engine", "vllm", "--vllm-url", "http://127.0.0.1:9", "--model", str(checkpoint)]
    ended = CliRunner().invoke(app, command)
    assert isinstance(ended.exception, UnreachableError)
    assert "127.0.0.1:9" in str(ended.exception)
