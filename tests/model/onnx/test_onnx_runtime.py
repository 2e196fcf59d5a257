"""The ONNX runtime: equal to the PyTorch reference, exact with and without its cache, and precise in int8."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coder.errors import CheckpointError, InputError
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.convert.smoothing import (
    SMOOTHING_FILE,
    LayerSmoothing,
    Smoothing,
    identity,
    load_smoothing,
    save_smoothing,
)
from coder.model.onnx.passes import FIRST_CAPACITY
from coder.model.onnx.runtime import HeadSession, OnnxRuntime, products_saturate
from coder.model.onnx.weights import DecoderWeights
from coder.model.runtime import Pass, TokenBias
from coder.model.torch.runtime import TorchRuntime
from tests.tiny import write_tiny_checkpoint
from tests.weight_bits import EXACT_BITS

TOKEN = st.integers(min_value=0, max_value=319)
CONTEXT = st.lists(TOKEN, max_size=40)
CANVAS = st.lists(TOKEN, min_size=1, max_size=20)


FORMS: dict[str, dict[str, Any]] = {
    "tied": {},
    "untied": {"tied": False},
    "quantized": {"quantized": True},
    "biases": {"attention_bias": True, "mlp_bias": True},
    "qwen2": {"architecture": "qwen2"},
    "starcoder2": {"architecture": "starcoder2", "sliding_window": 24},
}


@pytest.fixture(scope="module", params=FORMS)
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return open_checkpoint(str(write_tiny_checkpoint(tmp_path_factory.mktemp("tiny"), **FORMS[request.param])))


@pytest.fixture(scope="module")
def exact(checkpoint: Checkpoint) -> OnnxRuntime:
    return OnnxRuntime.load(checkpoint, threads=1, weight_bits=32)


@pytest.fixture(scope="module")
def reference(checkpoint: Checkpoint) -> TorchRuntime:
    return TorchRuntime.load(checkpoint, device="cpu")


@pytest.fixture(scope="module")
def embedded() -> OnnxRuntime:
    return OnnxRuntime.load(open_checkpoint("embedded"), threads=2)


@given(context=CONTEXT, canvas=CANVAS, causal=st.booleans(), data=st.data())
def test_both_runtimes_agree(
    exact: OnnxRuntime,
    reference: TorchRuntime,
    context: list[int],
    canvas: list[int],
    causal: bool,
    data: st.DataObject,
):
    wanted = data.draw(st.sets(st.integers(0, len(canvas) - 1), min_size=1).map(sorted))
    rows = data.draw(st.lists(st.integers(0, len(wanted) - 1), max_size=4))
    tokens = data.draw(st.lists(TOKEN, min_size=len(rows), max_size=len(rows), unique=True))
    bias = TokenBias(
        np.array(rows, np.int64), np.array(tokens, np.int64), np.linspace(-2, 5, len(rows), dtype=np.float32)
    )
    request = Pass(
        canvas,
        wanted=wanted,
        causal=causal,
        given=data.draw(st.lists(st.integers(17, 319), min_size=len(wanted), max_size=len(wanted))),
        control_tokens=data.draw(st.sampled_from([(), (0,), (8, 0)])),
        bias=bias,
    )
    answers = []
    for runtime in (exact, reference):
        cache = runtime.new_cache()
        if context:
            runtime.forward(cache, Pass(context, commit=len(context)))
        answers.append(runtime.forward(cache, request))
    ours, theirs = answers
    np.testing.assert_allclose(ours.probabilities, theirs.probabilities, atol=1e-4)
    np.testing.assert_allclose(ours.entropy, theirs.entropy, atol=1e-3)
    np.testing.assert_allclose(ours.log_probability, theirs.log_probability, atol=1e-3)
    clear = theirs.probabilities[:, 0] - theirs.probabilities[:, 1] > 1e-3
    assert (ours.tokens[clear, 0] == theirs.tokens[clear, 0]).all()


@pytest.mark.parametrize("bits", EXACT_BITS)
def test_int8_stays_close_to_float(checkpoint: Checkpoint, reference: TorchRuntime, bits: int):
    runtime = OnnxRuntime.load(checkpoint, threads=1, weight_bits=bits)
    tokens = np.random.default_rng(0).integers(17, 320, 60).tolist()
    request = Pass(tokens[:-1], wanted=range(59), given=tokens[1:])
    difference = (
        runtime.forward(runtime.new_cache(), request).log_probability
        - reference.forward(reference.new_cache(), request).log_probability
    )
    assert np.abs(difference).mean() < 0.2


edits = st.lists(st.tuples(st.integers(0, 60), st.lists(TOKEN, min_size=1, max_size=20)), min_size=1, max_size=6)


@settings(max_examples=60)
@given(edits=edits, canvas=CANVAS)
def test_cache_equals_no_cache(exact: OnnxRuntime, edits: list[tuple[int, list[int]]], canvas: list[int]):
    """However a context came about, by typing and by cutting, a canvas sees the same."""
    cache = exact.new_cache()
    for kept, typed in edits:
        cache.truncate(kept)
        exact.forward(cache, Pass(typed, commit=len(typed)))
        exact.forward(cache, Pass(canvas, wanted=[0], causal=False))
    afresh = exact.new_cache()
    exact.forward(afresh, Pass(cache.tokens, commit=len(cache.tokens)))
    request = Pass(canvas, wanted=range(len(canvas)), causal=False)
    with_cache, without = exact.forward(cache, request), exact.forward(afresh, request)
    np.testing.assert_allclose(with_cache.probabilities, without.probabilities, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_in_int8_every_split_of_a_context_gives_the_same_bits(embedded: OnnxRuntime, data: st.DataObject):
    tokens = np.random.default_rng(data.draw(st.integers(0, 5))).integers(17, 49152, 70).tolist()
    borders = sorted(data.draw(st.sets(st.integers(1, 69), max_size=6)))
    cache = embedded.new_cache()
    for start, end in zip([0, *borders], [*borders, 70], strict=True):
        embedded.forward(cache, Pass(tokens[start:end], commit=end - start))
    whole = embedded.new_cache()
    embedded.forward(whole, Pass(tokens, commit=70))
    request = Pass([100, *[embedded.config.control.mask] * 8], wanted=range(9), causal=False)
    split, unsplit = embedded.forward(cache, request), embedded.forward(whole, request)
    assert (split.probabilities == unsplit.probabilities).all()
    assert (split.tokens == unsplit.tokens).all()


def test_a_cache_grows_and_copies(exact: OnnxRuntime):
    tokens = np.random.default_rng(1).integers(17, 320, 500).tolist()
    cache = exact.new_cache()
    cache._allocate(16)  # what a long context does to any capacity
    for start in range(0, 500, 100):
        exact.forward(cache, Pass(tokens[start : start + 100], commit=100))
    copy = cache.copy_prefix(300)
    cache.truncate(0)
    exact.forward(cache, Pass(tokens[::-1][:50], commit=50))
    afresh = exact.new_cache()
    exact.forward(afresh, Pass(tokens[:300], commit=300))
    request = Pass([20, *[exact.config.control.mask] * 2], wanted=range(3), causal=False)
    assert copy.tokens == tokens[:300]
    expected = exact.forward(afresh, request).probabilities
    np.testing.assert_allclose(exact.forward(copy, request).probabilities, expected, atol=1e-5)


def test_every_position_can_be_used_and_no_more(exact: OnnxRuntime):
    assert exact.config.max_positions == FIRST_CAPACITY
    cache = exact.new_cache()
    exact.forward(cache, Pass([20] * 511, commit=511))
    assert len(exact.forward(cache, Pass([20], wanted=[0], commit=1)).tokens) == 1
    with pytest.raises(InputError, match="512"):
        exact.forward(cache, Pass([20]))
    with pytest.raises(InputError, match="512"):
        exact.forward(exact.new_cache(), Pass([20] * 513))


def test_one_session_at_a_time_holds_a_copy_of_the_weights(checkpoint: Checkpoint):
    runtime = OnnxRuntime.load(checkpoint, threads=1, weight_bits=32)
    first = weakref.ref(runtime._decoder(1))
    alone = runtime.forward(runtime.new_cache(), Pass([20, 21], wanted=[1]))
    both = runtime.forward_batch([runtime.new_cache(), runtime.new_cache()], [Pass([20, 21], wanted=[1])] * 2)
    afterwards = runtime.forward(runtime.new_cache(), Pass([20, 21], wanted=[1]))
    assert first() is None
    for other in (*both, afterwards):
        np.testing.assert_allclose(other.probabilities, alone.probabilities, atol=1e-5)


def test_smoothing_changes_no_function(checkpoint: Checkpoint, exact: OnnxRuntime):
    """Any factors fold away: of the norms, of the values, of the products in the middle, of the head."""
    random = np.random.default_rng(3)

    def randomized(size: int) -> np.ndarray:
        return np.exp(random.normal(0, 1, size)).astype(np.float32)

    plain = identity(checkpoint.config)
    layers = (LayerSmoothing(*(randomized(len(vector)) for vector in vars(layer).values())) for layer in plain.layers)
    save_smoothing(checkpoint.folder, Smoothing(tuple(layers), randomized(len(plain.head))))
    try:
        smoothed = OnnxRuntime.load(open_checkpoint(str(checkpoint.folder)), threads=1, weight_bits=32)
    finally:
        (checkpoint.folder / SMOOTHING_FILE).unlink()
    request = Pass(list(range(17, 60)), wanted=range(43))
    np.testing.assert_allclose(
        smoothed.forward(smoothed.new_cache(), request).probabilities,
        exact.forward(exact.new_cache(), request).probabilities,
        atol=1e-4,
    )


def test_damaged_smoothing_factors_are_refused(tmp_path: Path):
    checkpoint = open_checkpoint(str(write_tiny_checkpoint(tmp_path)))
    (tmp_path / SMOOTHING_FILE).write_bytes(b"no safetensors")
    with pytest.raises(CheckpointError, match="smoothing"):
        load_smoothing(tmp_path, checkpoint.config)
    factors = identity(checkpoint.config)
    save_smoothing(tmp_path, Smoothing(factors.layers, np.zeros_like(factors.head)))
    with pytest.raises(CheckpointError, match="head"):
        load_smoothing(tmp_path, checkpoint.config)


def test_the_probe_answers():
    assert products_saturate() in (True, False)


@pytest.mark.parametrize(("seed", "heads"), [(0, 1), (1, 2)])
def test_the_same_head_is_loaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, heads: int):
    """It serves both of two runtimes, which answer as each would alone; another head does not."""
    loaded: list[DecoderWeights] = []
    load = HeadSession.__init__

    def recorded(self: HeadSession, weights: DecoderWeights, threads: int) -> None:
        loaded.append(weights)
        load(self, weights, threads)

    first, second = (
        open_checkpoint(str(write_tiny_checkpoint(tmp_path / f"{index}", seed=own)))
        for index, own in enumerate((0, seed))
    )
    request = Pass([20, 30, 40], wanted=[0, 1, 2])
    alone = OnnxRuntime.load(second, threads=1, weight_bits=7)
    monkeypatch.setattr(HeadSession, "__init__", recorded)
    beside = OnnxRuntime.load(first, threads=1, weight_bits=7)
    ours = OnnxRuntime.load(second, threads=1, weight_bits=7, beside=beside)
    assert len(loaded) == heads
    answers = [runtime.forward(runtime.new_cache(), request) for runtime in (alone, ours)]
    np.testing.assert_array_equal(answers[0].probabilities, answers[1].probabilities)
