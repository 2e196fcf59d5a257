"""vLLM with the plugin gives the tokens of our own PyTorch runtime, in float32: alone, mixed, cached, preempted.

vLLM lives in an environment of its own, which `tests/vllm_plugin/get_vllm.sh` makes; `QUICKFILL_VLLM_PYTHON` names its
Python.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.convert.convert import convert
from coder.model.torch.runtime import TorchRuntime
from tests.equality import equal_up_to_a_tie
from tests.held_out import prompts
from tests.tiny import write_tiny_checkpoint
from tests.vllm_plugin.test_canvases import POLICIES, alone, with_ending

PYTHON = os.environ.get("QUICKFILL_VLLM_PYTHON", "")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not PYTHON, reason="vLLM has an environment of its own")]

SERVED = Path(__file__).parent / "served.py"
LARGEST = 8
FEW = 2
"""Ties that may be broken the other way, as design section 4 allows."""

PREEMPTING_BYTES = 1 << 20
"""Room for a few requests' keys and values."""

Request = dict[str, Any]


@pytest.fixture(scope="module", params=["llama", "qwen2"])
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder = write_tiny_checkpoint(tmp_path_factory.mktemp("tiny"), head_dim=32, architecture=request.param)
    return open_checkpoint(str(folder if request.param == "llama" else with_ending(folder)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, checkpoint: Checkpoint) -> Path:
    target = tmp_path_factory.mktemp("vllm") / "checkpoint"
    convert(str(checkpoint.folder), target, "vllm", "f32")
    return target


def request(prompt: list[int], index: int) -> Request:
    """Every method, with canvases of every size, and answers of different lengths."""
    arguments = {"policy": POLICIES[index % len(POLICIES)], "canvas": 1 + index % LARGEST}
    arguments["expects"] = "line" if index % 3 else "block"
    return {"prompt": prompt, "max_tokens": 3 + index % 20, "arguments": arguments}


def served(tmp_path: Path, folder: Path, batches: list[list[Request]], **engine: Any) -> tuple[list, dict[str, int]]:
    usual = {"model": str(folder), "dtype": "float32", "max_model_len": 512, "max_num_seqs": 32}
    (tmp_path / "requests.json").write_text(json.dumps({"engine": {**usual, **engine}, "batches": batches}))
    environment = {
        **os.environ,
        "TRITON_INTERPRET": "1",
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        "VLLM_NO_USAGE_STATS": "1",
        "HF_HUB_OFFLINE": "1",
        # Threads that meet after each of so small operations cost more than they do.
        "OMP_NUM_THREADS": "1",
    }
    command = [PYTHON, str(SERVED), str(tmp_path / "requests.json"), str(tmp_path / "answers.json")]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr[-4000:] + ran.stdout[-2000:]
    answers = json.loads((tmp_path / "answers.json").read_text())
    return answers["tokens"], answers["metrics"]


def check(checkpoint: Checkpoint, batches: list[list[Request]], answers: list[list[list[int]]]) -> None:
    """Every answer is what our sampler gives for its request alone, but for a few ties."""
    runtime, ties = TorchRuntime.load(checkpoint, "cpu"), 0
    end = runtime.config.control.fim_end
    for batch, outputs in zip(batches, answers, strict=True):
        for one, output in zip(batch, outputs, strict=True):
            arguments = one["arguments"]
            method = arguments["policy"], arguments["canvas"], one["max_tokens"], arguments["expects"]
            expected, ended = alone(runtime, one["prompt"], *method)
            expected += [end] * ended
            if arguments["policy"] == "verified":
                ties += equal_up_to_a_tie(runtime, one["prompt"], output, expected, end)
            else:
                ties += output != expected
    assert ties <= FEW


def test_alone_mixed_in_chunks_and_from_the_prefix_cache(checkpoint: Checkpoint, folder: Path, tmp_path: Path):
    texts = list(prompts(checkpoint.tokenizer, 120, 100))
    first = [request(prompt, index) for index, prompt in enumerate(texts)]
    alone_ones = [[one] for one in first[:14]]
    # The same again by other methods, and what follows a first answer: all of it begins with blocks that are cached.
    again = [request(one["prompt"], index + 3) for index, one in enumerate(first[:46])]
    longer = [request([*one["prompt"], *one["prompt"][:9]], index) for index, one in enumerate(first[:20])]
    batches = [*alone_ones, first, again, longer]
    answers, metrics = served(
        tmp_path,
        folder,
        batches,
        block_size=32,
        kv_cache_memory_bytes=64 << 20,
        max_num_batched_tokens=96,
        enable_prefix_caching=True,
    )
    assert sum(map(len, answers)) >= 200
    assert metrics["vllm:prefix_cache_hits"] > 0
    check(checkpoint, batches, answers)


def test_after_being_preempted(checkpoint: Checkpoint, folder: Path, tmp_path: Path):
    texts = list(prompts(checkpoint.tokenizer, 16, 100, seed=3))
    batch = [{**request(prompt, index), "max_tokens": 40} for index, prompt in enumerate(texts)]
    answers, metrics = served(tmp_path, folder, [batch], kv_cache_memory_bytes=PREEMPTING_BYTES)
    assert metrics["vllm:num_preemptions"] > 0
    check(checkpoint, [batch], answers)
