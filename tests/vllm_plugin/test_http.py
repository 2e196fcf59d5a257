"""vLLM's HTTP server with the plugin, asked by the official `openai` client."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest

from coder.api.completion import CompletionRequest, Decoding
from coder.engine.engine import Engine
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.opening import EMBEDDED, open_checkpoint
from coder.model.convert.convert import convert
from coder.model.torch.runtime import TorchRuntime
from coder.vllm.client import VllmClient
from coder.vllm.engine import VllmEngine
from tests.held_out import prompts
from tests.serve.in_process import serving
from tests.tiny import write_tiny_checkpoint
from tests.vllm_plugin.test_canvases import POLICIES, alone
from tests.vllm_plugin.test_served_by_vllm import FEW, LARGEST, PYTHON
from tests.vllm_plugin.vllm_server import PATIENCE, running

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not PYTHON, reason="vLLM has an environment of its own")]

REQUESTS = 21
"""Three for each method."""


def client_of(address: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{address}/v1", api_key="none", timeout=PATIENCE, max_retries=0)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return open_checkpoint(str(write_tiny_checkpoint(tmp_path_factory.mktemp("tiny"), head_dim=32)))


@pytest.mark.parametrize("ahead", [False, True], ids=["plain scheduler", "scheduling ahead"])
def test_clients_at_once_get_what_our_runtime_gives_each_alone(checkpoint: Checkpoint, tmp_path: Path, ahead: bool):
    convert(str(checkpoint.folder), tmp_path / "served", "vllm", "f32")
    requests = [
        (prompt, POLICIES[index % len(POLICIES)], 1 + index % LARGEST, 3 + index)
        for index, prompt in enumerate(prompts(checkpoint.tokenizer, REQUESTS, 80, seed=5))
    ]
    runtime = TorchRuntime.load(checkpoint, "cpu")
    end, ties = runtime.config.control.fim_end, 0
    with running(PYTHON, tmp_path / "served", tmp_path / "log.txt", "--max-model-len", "512", ahead=ahead) as address:
        client = client_of(address)

        def ask(request: tuple[list[int], str, int, int]) -> list[int]:
            prompt, policy, canvas, max_tokens = request
            extra: dict[str, Any] = {
                "vllm_xargs": {"policy": policy, "canvas": canvas},
                "return_token_ids": True,
            }
            answer = client.completions.create(
                model="quickfill", prompt=prompt, max_tokens=max_tokens, extra_body=extra
            )
            return answer.choices[0].model_dump()["token_ids"]

        with ThreadPoolExecutor(8) as clients:
            answers = list(clients.map(ask, requests))
        refused(client)
        assert ask(requests[0]) == answers[0]
    for request, tokens in zip(requests, answers, strict=True):
        expected, ended = alone(runtime, *request)
        ties += tokens != expected + [end] * ended
    assert ties <= FEW
    assert ("AnchoredAsyncScheduler" in (tmp_path / "log.txt").read_text()) is ahead


def refused(client: openai.OpenAI) -> None:
    """What cannot be decoded is refused as it comes, in words that say why; nobody else's request suffers."""
    cannot_be = [{"policy": "fast"}, {"policy": "fixed:1000"}, {"canvas": 0}, {"canvas": "wide"}]
    for extra in [*({"vllm_xargs": arguments} for arguments in cannot_be), {"prompt_logprobs": 1}, {"logprobs": 1}]:
        with pytest.raises(openai.BadRequestError, match=r"policy|canvas|step|log-prob"):
            client.completions.create(model="quickfill", prompt=[9, 10], max_tokens=2, extra_body=extra)


def test_the_embedded_model_completes_code(tmp_path: Path):
    """As our own runtime completes it; also where `quickfill serve --engine vllm` makes the prompt."""
    convert(EMBEDDED, tmp_path / "served", "vllm", "f32")
    prefix, policies = "def subtract(first, second):\n    return ", ("verified", "threshold:0.9")
    own = Engine.load(EMBEDDED, runtime="torch")
    expected, fitted = (
        [
            own.complete(
                CompletionRequest(prefix, "\n", shape=shape, decoding=Decoding(policy=one, canvas_size=8))
            ).text
            for one in policies
        ]
        for shape in ("raw", "auto")
    )
    own.close()
    with running(PYTHON, tmp_path / "served", tmp_path / "log.txt", "--max-model-len", "512") as address:
        client = client_of(address)
        answers = [
            client.completions.create(
                model="quickfill",
                prompt=f"<|fim_prefix|><|fim_suffix|><|fim_middle|>{prefix}",  # the line break is the model's to write
                max_tokens=32,
                extra_body={"vllm_xargs": {"policy": policy, "canvas": 8}},
            )
            for policy in policies
        ]
        assert [answer.choices[0].text.removesuffix("\n") for answer in answers] == expected
        assert all(answer.choices[0].finish_reason == "stop" for answer in answers)
        engine = VllmEngine(VllmClient(address), open_checkpoint(EMBEDDED), EMBEDDED)
        with serving(engine) as server, server.client() as ours:
            body = {"prompt": prefix, "suffix": "\n", "canvas_size": 8, "max_tokens": 32}
            filled = [ours.post("/v1/fim/completions", json=body | {"policy": policy}).json() for policy in policies]
        assert [one["choices"][0]["text"] for one in filled] == fitted
        engine.close()
