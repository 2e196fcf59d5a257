"""Passes of few fixed shapes, so that a GPU replays each as one CUDA graph instead of launching hundreds of kernels.

A graph is bound to the buffers it was captured on. So there is one working cache; the caller's caches are copied into
it as far as it does not hold the same tokens already, which while decoding is not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coder.model.runtime import Pass
from coder.model.torch.cache import TorchCache, pass_inputs, run_passes
from coder.model.torch.decoder import Decoder
from coder.model.torch.requirement import torch

Tensor = torch.Tensor

WARM_UP_RUNS = 3
"""Before a capture, as PyTorch advises: kernels are chosen and workspaces allocated outside it."""


@dataclass(frozen=True)
class CapturedPass:
    """A graph with the buffers it reads and writes: `inputs` [4, size] and `hidden` [size, hidden_size]."""

    graph: torch.cuda.CUDAGraph
    inputs: Tensor
    hidden: Tensor


class StaticPasses:
    """Runs passes padded to one of `sizes` positions over the whole of the working cache's buffers.

    `capture` replays CUDA graphs; without it the same shapes run as they are, on any device.
    """

    def __init__(self, decoder: Decoder, working: TorchCache, sizes: Sequence[int], capture: bool) -> None:
        self._decoder = decoder
        self._working = working
        self._sizes = sorted(sizes)
        self._capture = capture
        self._captured: dict[int, CapturedPass] = {}

    def fits(self, request: Pass) -> bool:
        return len(request.tokens) <= self._sizes[-1]

    def run(self, cache: TorchCache, request: Pass) -> Tensor:
        """Hidden states [M, hidden_size], valid until the next run; the committed positions have joined `cache`."""
        size = next(size for size in self._sizes if size >= len(request.tokens))
        self._adopt(cache, len(cache) + size)
        inputs = pass_inputs(request, len(cache), size, self._decoder.config.attention)
        hidden = self._replay(inputs) if self._capture else self._run(inputs.to(self._working.device))
        self._working.commit(request.tokens[: request.commit])
        cache.copy_from(self._working, len(cache), len(self._working))
        return hidden[: len(request.tokens)]

    def _adopt(self, cache: TorchCache, length: int) -> None:
        """Let the working cache hold what `cache` holds, with room for `length` positions."""
        self._working.truncate(_common_prefix(self._working.tokens, cache.tokens))
        if length > self._working.capacity:
            self._captured.clear()
            self._working.reserve(length)
        self._working.copy_from(cache, len(self._working), len(cache))

    def _run(self, inputs: Tensor) -> Tensor:
        return run_passes(self._decoder, [self._working], [inputs], [self._working.capacity])

    def _replay(self, inputs: Tensor) -> Tensor:
        size = inputs.shape[1]
        if size not in self._captured:
            device = self._working.device
            with torch.cuda.device(device):
                self._captured[size] = self._capture_pass(inputs.to(device))
        captured = self._captured[size]
        captured.inputs.copy_(inputs)
        captured.graph.replay()
        return captured.hidden

    def _capture_pass(self, inputs: Tensor) -> CapturedPass:
        """Capture on a side stream after warming up there. Runs write the same keys and values again: no harm."""
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP_RUNS):
                self._run(inputs)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            hidden = self._run(inputs)
        return CapturedPass(graph, inputs, hidden)


def _common_prefix(first: list[int], second: list[int]) -> int:
    length = min(len(first), len(second))
    if first[:length] == second[:length]:
        return length
    return next(index for index in range(length) if first[index] != second[index])
