"""With the embedded weights, in each runtime: however a context came about, the model answers as if it were new."""

from __future__ import annotations

import numpy as np
import pytest

from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.onnx.runtime import OnnxRuntime
from coder.model.runtime import Pass, Runtime
from coder.model.torch.runtime import TorchRuntime

ROUNDS = 4


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return open_checkpoint("embedded")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "tolerance"), [("onnx", 0.0), ("torch", 1e-4)])
def test_random_edits(checkpoint: Checkpoint, name: str, tolerance: float):
    """Typing, deleting, passes that commit a part only, and canvases in between."""
    runtime: Runtime = OnnxRuntime.load(checkpoint, 2) if name == "onnx" else TorchRuntime.load(checkpoint, "cpu")
    random = np.random.default_rng(4)
    text = checkpoint.tokenizer.encode("def mean(values):\n    return sum(values) / len(values)\n" * 6)
    mask = checkpoint.config.control.mask
    cache = runtime.new_cache()
    for _ in range(ROUNDS):
        cache.truncate(int(random.integers(0, len(cache.tokens) + 1)))
        start, width = int(random.integers(0, len(text) - 40)), int(random.integers(1, 40))
        typed = text[start : start + width]
        runtime.forward(cache, Pass(typed, commit=int(random.integers(1, width + 1))))
        canvas = [typed[-1], *[mask] * int(random.integers(1, 17))]
        request = Pass(canvas, wanted=range(len(canvas)), causal=False)
        cached = runtime.forward(cache, request)
        afresh = runtime.new_cache()
        runtime.forward(afresh, Pass(cache.tokens, commit=len(cache.tokens)))
        np.testing.assert_allclose(
            cached.probabilities, runtime.forward(afresh, request).probabilities, atol=tolerance, rtol=0
        )
