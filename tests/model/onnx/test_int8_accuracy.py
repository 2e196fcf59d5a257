"""The embedded model in int8 stays close to its float32 reference; `benchmarks.accuracy` has the full figures."""

from __future__ import annotations

import numpy as np
import pytest

from coder.model.checkpoint.opening import open_checkpoint
from coder.model.onnx.runtime import OnnxRuntime
from coder.model.runtime import Pass, Runtime
from coder.model.torch.runtime import TorchRuntime
from tests.held_out import prompts
from tests.weight_bits import EXACT_BITS


@pytest.mark.slow
def test_loss_and_best_tokens_of_held_out_code():
    checkpoint = open_checkpoint("embedded")
    documents = list(prompts(checkpoint.tokenizer, 16, 256))
    text = np.concatenate([np.arange(len(document) - 1) > 66 for document in documents])

    def ask(runtime: Runtime) -> tuple[np.ndarray, np.ndarray]:
        """Log-probabilities of the prefixes' tokens, and the best tokens in their places."""
        answers = [
            runtime.forward(runtime.new_cache(), Pass(tokens[:-1], wanted=range(len(tokens) - 1), given=tokens[1:]))
            for tokens in documents
        ]
        given = np.concatenate([answer.log_probability for answer in answers])
        return given[text], np.concatenate([answer.tokens[:, 0] for answer in answers])[text]

    exact, best = ask(TorchRuntime.load(checkpoint, "cpu"))
    for bits, worst_loss, least_equal in ((8, 0.03, 0.92), (7, 0.05, 0.89)):
        if bits in EXACT_BITS:
            ours, our_best = ask(OnnxRuntime.load(checkpoint, 2, bits))
            assert exact.mean() - ours.mean() < worst_loss
            assert (best == our_best).mean() > least_equal
