"""Verified decoding writes what autoregressive decoding would have written, in both runtimes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from coder.diffusion.block_diffusion import Autoregressive, Lookup, Verified
from coder.diffusion.events import Committed
from coder.diffusion.run import DecodingAlgorithm, DenoiseRequest, Sampler
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.onnx.runtime import OnnxRuntime
from coder.model.runtime import Runtime
from coder.model.torch.runtime import TorchRuntime
from tests.equality import equal_up_to_a_tie
from tests.held_out import prompts
from tests.tiny import write_tiny_checkpoint

PROMPTS = 200
FEW = 10
"""So many of them may meet a tie; more would mean something else than rounding."""

EMBEDDED_PROMPTS = 6
"""For the embedded model, a thousand times as large."""


def continuation(runtime: Runtime, prompt: list[int], algorithm: DecodingAlgorithm, max_tokens: int) -> list[int]:
    end = runtime.config.control.fim_end
    request = DenoiseRequest(prompt, runtime.new_cache(), algorithm, end, max_tokens)
    events = Sampler(runtime).denoise(request)
    return [token for event in events if isinstance(event, Committed) for token in event.tokens]


def count_ties(runtime: Runtime, checkpoint: Checkpoint, length: int, max_tokens: int, count: int = PROMPTS) -> int:
    ties = 0
    for index, prompt in enumerate(prompts(checkpoint.tokenizer, count, length)):
        greedy = continuation(runtime, prompt, Autoregressive(), max_tokens)
        size = 1 + index % 12
        for algorithm in (Verified(size), Lookup(size)):
            verified = continuation(runtime, prompt, algorithm, max_tokens)
            ties += equal_up_to_a_tie(runtime, prompt, greedy, verified, runtime.config.control.fim_end)
    return ties


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.mark.parametrize("bits", [32, 8])
def test_onnx_tiny(tiny: Path, bits: int):
    checkpoint = open_checkpoint(str(tiny))
    assert count_ties(OnnxRuntime.load(checkpoint, 1, bits), checkpoint, 60, 20) <= FEW


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Threads that wait for each other cost more than a tiny model's work, most of all on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_torch_tiny(tiny: Path):
    checkpoint = open_checkpoint(str(tiny))
    assert count_ties(TorchRuntime.load(checkpoint, "cpu"), checkpoint, 60, 20) <= FEW


@pytest.mark.slow
def test_onnx_embedded():
    """In int8 the same tokens in passes of any width give the same bits, so no tie is ever decided differently."""
    checkpoint = open_checkpoint("embedded")
    assert count_ties(OnnxRuntime.load(checkpoint, 2), checkpoint, 96, 16, EMBEDDED_PROMPTS) == 0


@pytest.mark.slow
def test_torch_embedded():
    checkpoint = open_checkpoint("embedded")
    assert count_ties(TorchRuntime.load(checkpoint, "cpu"), checkpoint, 32, 5, EMBEDDED_PROMPTS // 2) <= 1
