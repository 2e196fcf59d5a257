"""Requests that run together in vLLM's manner give what the sampler gives each alone: here in our own runtime."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import torch

from coder.diffusion.block_diffusion import parse_algorithm
from coder.diffusion.events import Committed, Finished
from coder.diffusion.run import DenoiseRequest, Sampler
from coder.errors import InputError
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.runtime import Pass
from coder.model.torch.runtime import TorchRuntime
from coder.vllm.plugin.canvases import Canvases, ControlIds
from coder.vllm.plugin.decoding import MAX_STEPS, parse_decoding
from tests.held_out import prompts
from tests.tiny import write_tiny_checkpoint

POLICIES = ["threshold:0.9", "threshold:0.01", "factor:1.5", "entropy:3", "fixed:3", "fixed:6:cosine", "verified"]
LARGEST = 8


ENDING = {"never_first": True, "line_bias": 4.0, "block_bias": 2.5}
"""Biases by which a random model often ends, which it would not do by itself."""


def with_ending(folder: Path) -> Path:
    """Write ENDING into the settings of a checkpoint."""
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    settings["quickfill"]["ending"] = ENDING
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


@pytest.fixture(scope="module", params=["plain", "with an ending"])
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder = write_tiny_checkpoint(tmp_path_factory.mktemp("tiny"))
    return open_checkpoint(str(folder if request.param == "plain" else with_ending(folder)))


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that meet after each of so small operations cost more than they do, above all on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Served:
    """One request as a worker sees it: a cache, and the sequence whose last token is the anchor."""

    def __init__(self, runtime: TorchRuntime, prompt: list[int]) -> None:
        self.runtime, self.cache, self.sequence = runtime, runtime.new_cache(), list(prompt)
        self.output: list[int] = []
        if len(prompt) > 1:
            runtime.forward(self.cache, Pass(prompt[:-1], commit=len(prompt) - 1))

    def logits(self, tokens: list[int], causal: bool) -> torch.Tensor:
        return self.runtime.logits(self.cache, Pass(tokens, wanted=range(len(tokens)), causal=causal))

    def emit(self, tokens: list[int]) -> None:
        committed = [self.sequence[-1], *tokens[:-1]]
        self.runtime.forward(self.cache, Pass(committed, commit=len(committed)))
        self.sequence += tokens
        self.output += tokens


def alone(
    runtime: TorchRuntime, prompt: list[int], policy: str, size: int, max_tokens: int, expects: str = "block"
) -> tuple[list[int], bool]:
    end, ending = runtime.config.control.fim_end, runtime.config.ending
    request = DenoiseRequest(
        prompt,
        runtime.new_cache(),
        parse_algorithm(policy, size),
        end,
        max_tokens,
        never_empty=ending.never_first,
        end_bias=ending.line_bias if expects == "line" else ending.block_bias,
    )
    events = list(Sampler(runtime).denoise(request))
    assert isinstance(events[-1], Finished)
    output = [token for event in events if isinstance(event, Committed) for token in event.tokens]
    return output, events[-1].reason == "end"


def together(runtime: TorchRuntime, requests: list[tuple[list[int], str, int, int, str]]) -> list[list[int]]:
    control = runtime.config.control
    ids = ControlIds(control.mask, control.fim_end, tuple(control.forbidden((control.fim_end,))))
    canvases = Canvases(len(requests), LARGEST, ids, torch.device("cpu"), runtime.config.ending)
    served = [Served(runtime, prompt) for prompt, *_ in requests]
    for index, (_, policy, size, max_tokens, expects) in enumerate(requests):
        arguments = {"policy": policy, "canvas": size, "expects": expects}
        canvases.add(index, parse_decoding(arguments, LARGEST), max_tokens)
    canvases.start(torch.arange(len(requests)), torch.tensor([one.sequence[-1] for one in served]))
    running, random = list(range(len(requests))), Random(0)
    while running:
        rows = torch.zeros(len(running), 1 + LARGEST, runtime.config.vocab_size)
        for row, index in enumerate(running):
            size = requests[index][2]
            tokens = canvases.tokens[index, : 1 + size].tolist()
            rows[row, : 1 + size] = served[index].logits(tokens, bool(canvases.committing[index]))
        widths = torch.tensor([requests[index][2] for index in running])
        # Now and then a pass has only a part of a canvas, whose logits say nothing.
        cut = torch.tensor([random.random() < 0.2 for _ in running])
        rows[cut] = 0.0
        widths -= cut.long()
        at_end = torch.zeros(len(running), dtype=torch.bool)
        output, counts = canvases.advance(torch.tensor(running), rows, widths, at_end)
        for row, index in enumerate(running):
            if new := output[row, : counts[row]].tolist():
                served[index].emit(new)
        running = [
            index
            for index in running
            if control.fim_end not in served[index].output and len(served[index].output) < requests[index][3]
        ]
    return [one.output for one in served]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_batch_of_one_method_gives_what_each_gives_alone(checkpoint: Checkpoint, policy: str):
    runtime = TorchRuntime.load(checkpoint, "cpu")
    sizes = (1, 2, 5, LARGEST - 1, LARGEST)
    requests = [
        (prompt, policy, size, 4 + size, "line" if size % 2 else "block")
        for size, prompt in zip(sizes, prompts(checkpoint.tokenizer, len(sizes), 24), strict=True)
    ]
    check(runtime, requests)


def test_an_ending_changes_what_is_written(checkpoint: Checkpoint):
    """So that the tests above can fail: with it answers end, and none at once."""
    runtime = TorchRuntime.load(checkpoint, "cpu")
    answers = [alone(runtime, prompt, "verified", 4, 16) for prompt in prompts(checkpoint.tokenizer, 12, 24, seed=2)]
    if checkpoint.config.ending.never_first:
        assert sum(ended for _, ended in answers) >= 3
        assert all(output for output, _ in answers)


def test_methods_can_be_mixed_in_a_batch(checkpoint: Checkpoint):
    runtime = TorchRuntime.load(checkpoint, "cpu")
    requests = [
        (prompt, policy, LARGEST, 12, "block")
        for policy, prompt in zip(POLICIES, prompts(checkpoint.tokenizer, len(POLICIES), 24, seed=1), strict=True)
    ]
    check(runtime, requests)


def check(runtime: TorchRuntime, requests: list[tuple[list[int], str, int, int, str]]) -> None:
    end = runtime.config.control.fim_end
    for request, output in zip(requests, together(runtime, requests), strict=True):
        expected, ended = alone(runtime, *request)
        assert output == expected + [end] * ended, request[1:]


@pytest.mark.parametrize(
    "arguments",
    [
        {"policy": "fast"},
        {"policy": 3},
        {"canvas": 0},
        {"canvas": "8"},
        {"policy": f"fixed:{MAX_STEPS + 1}"},
        {"expects": "page"},
        {"expects": ["line"]},
    ],
)
def test_what_cannot_be_done_is_refused(arguments):
    with pytest.raises(InputError):
        parse_decoding(arguments, LARGEST)


def test_without_arguments_the_largest_canvas_is_decoded_as_served():
    assert parse_decoding(None, LARGEST).canvas_size == LARGEST
    assert parse_decoding({}, LARGEST).verified
