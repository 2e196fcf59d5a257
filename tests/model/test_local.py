"""The local autoregression: equal in both runtimes to its formula; the same from an adapter as from a checkpoint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from coder.errors import CheckpointError
from coder.model.checkpoint.adapter import FORMAT, MASK_EMBEDDING, fingerprint, with_adapter
from coder.model.checkpoint.checkpoint import FIRST_LOCAL_TOKEN, Checkpoint
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.onnx.runtime import OnnxRuntime
from coder.model.runtime import LocalStep, Pass, Runtime, TokenBias
from coder.model.torch.runtime import TorchRuntime
from tests.tiny import SPECIAL_TOKENS, write_tiny_checkpoint
from tests.weight_bits import EXACT_BITS

CONTEXT = [20, 30, 40]
MASK = SPECIAL_TOKENS.index("<|mask|>")
CANVAS = [50, MASK, MASK, MASK, MASK]
SLOTS = len(CANVAS) - 1
TOKEN = st.integers(min_value=16, max_value=319)
PAIRS = st.lists(st.tuples(TOKEN, TOKEN), min_size=SLOTS, max_size=SLOTS)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return open_checkpoint(str(write_tiny_checkpoint(tmp_path_factory.mktemp("local"), local_width=24)))


@pytest.fixture(scope="module")
def runtimes(checkpoint: Checkpoint) -> dict[str, Runtime]:
    onnx = OnnxRuntime.load(checkpoint, threads=1, weight_bits=32)
    return {"onnx": onnx, "torch": TorchRuntime.load(checkpoint, device="cpu")}


def states(runtime: Runtime):
    cache = runtime.new_cache()
    runtime.forward(cache, Pass(CONTEXT, commit=len(CONTEXT)))
    return runtime.forward(cache, Pass(CANVAS, wanted=range(SLOTS), causal=False, states=True)).states


def expected(checkpoint: Checkpoint, hidden: np.ndarray, before: list[tuple[int, int]], bias: TokenBias) -> np.ndarray:
    """Probabilities [W, vocabulary], from the hidden states behind the last norm."""
    table = checkpoint.float_tensor("model.embed_tokens.weight")
    w1, b1, w2 = (checkpoint.float_tensor(f"local.{name}") for name in ("W1", "b1", "W2"))
    scaled = table / table[FIRST_LOCAL_TOKEN:].std()
    normed = hidden / np.sqrt((hidden**2).mean(-1, keepdims=True))
    inputs = np.concatenate([normed, *(scaled[list(tokens)] for tokens in zip(*before, strict=True))], axis=-1)
    inner = inputs @ w1.T + b1
    logits = (hidden + (inner / (1 + np.exp(-inner))) @ w2.T) @ table.T
    logits[bias.rows, bias.tokens] += bias.values
    logits[:, :16] = -np.inf
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


@given(before=PAIRS, given_tokens=st.lists(TOKEN, min_size=SLOTS, max_size=SLOTS))
def test_both_runtimes_compute_the_formula(
    checkpoint: Checkpoint, runtimes: dict[str, Runtime], before: list[tuple[int, int]], given_tokens: list[int]
):
    bias = TokenBias(np.array([1, 2]), np.array([100, 200]), np.array([3.0, -2.0], np.float32))
    hidden = states(runtimes["torch"]).numpy()
    right = expected(checkpoint, hidden, before, bias)
    for runtime in runtimes.values():
        found = runtime.forward_local(LocalStep(states(runtime), before, given_tokens, bias=bias))
        np.testing.assert_allclose(found.probabilities, np.sort(right)[:, ::-1][:, :8], atol=1e-4)
        np.testing.assert_allclose(np.exp(found.log_probability), right[range(SLOTS), given_tokens], atol=1e-4)


def test_a_slot_alone_is_predicted_as_among_others(runtimes: dict[str, Runtime]):
    before = [(20, 30), (21, 31), (22, 32), (23, 33)]
    for runtime in runtimes.values():
        found = states(runtime)
        together = runtime.forward_local(LocalStep(found, before))
        alone = runtime.forward_local(LocalStep(found[2:3], before[2:3]))
        np.testing.assert_allclose(together.probabilities[2], alone.probabilities[0], atol=1e-5)


def test_int8_stays_close_to_float(checkpoint: Checkpoint, runtimes: dict[str, Runtime]):
    quantized = OnnxRuntime.load(checkpoint, threads=1, weight_bits=EXACT_BITS[-1])
    before = [(20, 30), (21, 31), (22, 32), (23, 33)]
    answers = [
        runtime.forward_local(LocalStep(states(runtime), before, [40, 41, 42, 43])).log_probability
        for runtime in (quantized, runtimes["onnx"])
    ]
    assert np.abs(answers[0] - answers[1]).mean() < 0.3


class TestAdapter:
    """A checkpoint without a local autoregression gets it, and an embedding of the mask, from an adapter."""

    @pytest.fixture
    def plain(self, tmp_path: Path) -> Checkpoint:
        return open_checkpoint(str(write_tiny_checkpoint(tmp_path / "plain", quantized=True)))

    def write(self, file: Path, plain: Checkpoint, **tensors: np.ndarray) -> Path:
        random = np.random.default_rng(1)
        local = {"local.W1": (24, 96), "local.b1": (24,), "local.W2": (32, 24)}
        own = {name: random.standard_normal(shape).astype(np.float32) for name, shape in local.items()}
        own[MASK_EMBEDDING] = random.standard_normal(32).astype(np.float32)
        metadata = {"format": FORMAT, "scale": "2.0", "base": fingerprint(plain)}
        safetensors.numpy.save_file(own | tensors, file, metadata)
        return file

    def test_its_parts_are_in_the_checkpoint(self, plain: Checkpoint, tmp_path: Path):
        file = self.write(tmp_path / "adapter.safetensors", plain)
        adapted = with_adapter(plain, file)
        assert adapted.config.local_width == 24
        stored = safetensors.numpy.load_file(file)
        table, before = (one.float_tensor("model.embed_tokens.weight") for one in (adapted, plain))
        mask = plain.config.control.mask
        assert (table[mask] == stored[MASK_EMBEDDING]).all()
        assert (np.delete(table, mask, 0) == np.delete(before, mask, 0)).all()
        assert (adapted.float_tensor("local.W2") == stored["local.W2"]).all()
        chunks = np.concatenate([values for _, values in adapted.chunks("model.embed_tokens.weight")])
        assert (chunks == table).all()
        assert fingerprint(adapted) == fingerprint(plain)

    def test_a_canvas_sees_the_new_mask(self, plain: Checkpoint, tmp_path: Path):
        adapted = with_adapter(plain, self.write(tmp_path / "adapter.safetensors", plain))
        answers = []
        for checkpoint in (plain, adapted):
            runtime = OnnxRuntime.load(checkpoint, threads=1, weight_bits=32)
            answers.append(runtime.forward(runtime.new_cache(), Pass(CANVAS, wanted=[0], causal=False)))
        assert not np.allclose(answers[0].probabilities, answers[1].probabilities, atol=1e-3)

    @pytest.mark.parametrize(
        ("tensors", "message"),
        [
            ({"local.W1": np.zeros((24, 95), np.float32)}, "local.W1"),
            ({"local.W2": np.full((32, 24), np.nan, np.float32)}, "local.W2 has values that are no numbers"),
            ({MASK_EMBEDDING: np.zeros(31, np.float32)}, MASK_EMBEDDING),
        ],
    )
    def test_parts_that_do_not_fit_are_refused(
        self, plain: Checkpoint, tmp_path: Path, tensors: dict[str, np.ndarray], message: str
    ):
        with pytest.raises(CheckpointError, match=message):
            with_adapter(plain, self.write(tmp_path / "adapter.safetensors", plain, **tensors))
