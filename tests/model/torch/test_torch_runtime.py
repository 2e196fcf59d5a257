"""The PyTorch runtime: equal to stock transformers, exact with and without its cache, lawful predictions."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.errors import InputError, MissingDependencyError
from coder.model.checkpoint.checkpoint import Checkpoint, expected_tensors
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.runtime import CANDIDATES, Pass, Runtime, TokenBias
from tests.tiny import open_tiny_checkpoint, write_tiny_checkpoint

torch = pytest.importorskip("torch")
from coder.model.torch.cache import TorchCache  # noqa: E402
from coder.model.torch.decoder import Decoder, masked_attention  # noqa: E402
from coder.model.torch.runtime import TorchRuntime, decoding_sizes  # noqa: E402

TOLERANCE = 1e-4

TOKEN = st.integers(min_value=0, max_value=319)
CONTEXT = st.lists(TOKEN, max_size=12)
CANVAS = st.lists(TOKEN, min_size=1, max_size=9)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def checkpoint(folder: Path) -> Checkpoint:
    return open_checkpoint(str(folder))


@pytest.fixture(scope="module")
def runtime(checkpoint: Checkpoint) -> TorchRuntime:
    return TorchRuntime.load(checkpoint, device="cpu")


@pytest.fixture(scope="module")
def static_runtime(checkpoint: Checkpoint) -> TorchRuntime:
    """Pads every pass to a fixed shape, as on a GPU, but captures no graphs."""
    decoder = Decoder.from_checkpoint(checkpoint, torch.device("cpu"), torch.float32)
    return TorchRuntime(decoder, decoding_sizes(checkpoint.config))


@pytest.fixture(scope="module", params=["own shapes", "static shapes"])
def either(request: pytest.FixtureRequest, runtime: TorchRuntime, static_runtime: TorchRuntime) -> TorchRuntime:
    return {"own shapes": runtime, "static shapes": static_runtime}[request.param]


def filled(runtime: TorchRuntime, tokens: list[int]) -> TorchCache:
    cache = runtime.new_cache()
    if tokens:
        runtime.forward(cache, Pass(tokens, commit=len(tokens)))
    return cache


def all_logits(runtime: TorchRuntime, cache: TorchCache, tokens: list[int], causal: bool = True) -> np.ndarray:
    return runtime.logits(cache, Pass(tokens, wanted=range(len(tokens)), causal=causal)).numpy()


def close(actual: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(actual, expected, atol=TOLERANCE, rtol=TOLERANCE)


@pytest.fixture(scope="module", params=[True, False], ids=["tied", "untied"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """The runtime and stock transformers on the same folder."""
    transformers = pytest.importorskip("transformers")
    folder = write_tiny_checkpoint(tmp_path_factory.mktemp("reference"), tied=request.param, seed=1)
    reference = transformers.LlamaForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    return TorchRuntime.load(open_checkpoint(str(folder)), device="cpu"), reference


class TestAgainstTransformers:
    TOKENS = np.random.default_rng(0).integers(0, 320, 60).tolist()

    def test_a_context_pass(self, both):
        runtime, reference = both
        with torch.no_grad():
            expected = reference(torch.tensor([self.TOKENS])).logits[0].numpy()
        assert np.ptp(expected, axis=1).min() > 1  # the model is no constant
        close(all_logits(runtime, runtime.new_cache(), self.TOKENS), expected)

    def test_a_canvas_pass(self, both):
        runtime, reference = both
        length, context = len(self.TOKENS), 43
        sees = torch.ones(length, length).tril().bool()
        sees[context:] = True
        mask = torch.where(sees, 0.0, torch.finfo(torch.float32).min)[None, None]
        with torch.no_grad():
            expected = reference(torch.tensor([self.TOKENS]), attention_mask=mask).logits[0, context:].numpy()
        cache = filled(runtime, self.TOKENS[:context])
        close(all_logits(runtime, cache, self.TOKENS[context:], causal=False), expected)

    def test_the_decoder_with_a_mask_of_its_own(self, both):
        """As training uses it: several rows, no cache."""
        _, reference = both
        rows = torch.tensor(self.TOKENS).view(3, 20)
        positions = torch.arange(20).expand(3, -1)
        decoder = Decoder.from_checkpoint(open_checkpoint(reference.name_or_path), torch.device("cpu"), torch.float32)
        mask = torch.ones(20, 20).tril().bool()
        with torch.no_grad():
            expected = reference(rows).logits.numpy()
            logits = decoder.logits(decoder(rows, positions, masked_attention(mask))).numpy()
            again = decoder.logits(decoder(rows, positions, masked_attention(mask.expand(3, 1, -1, -1)))).numpy()
        close(logits, expected)
        close(again, expected)


class TestCache:
    @given(context=CONTEXT, new=CANVAS, data=st.data())
    def test_a_cache_changes_nothing(self, either: TorchRuntime, context: list[int], new: list[int], data):
        chunks = data.draw(st.lists(st.integers(0, len(context)), max_size=3).map(sorted))
        cache = either.new_cache()
        for start, end in zip([0, *chunks], [*chunks, len(context)], strict=True):
            if start < end:
                either.forward(cache, Pass(context[start:end], commit=end - start))
        whole = all_logits(either, either.new_cache(), context + new)
        close(all_logits(either, cache, new), whole[len(context) :])

    @given(edits=st.lists(st.tuples(st.integers(0, 20), CONTEXT), min_size=1, max_size=5), new=CANVAS)
    def test_edits_leave_nothing_behind(self, either: TorchRuntime, edits: list[tuple[int, list[int]]], new: list[int]):
        """Type, look at a canvas, delete, type on: the cache is as if the remaining text had been there at once."""
        cache, text = either.new_cache(), []
        for kept, typed in edits:
            text = text[:kept] + typed
            cache.truncate(kept)
            if typed:
                either.forward(cache, Pass(typed, commit=len(typed)))
            either.forward(cache, Pass(new, wanted=[0], causal=False))
            assert cache.tokens == text
        close(all_logits(either, cache, new, causal=False), all_logits(either, filled(either, text), new, causal=False))

    @given(context=CONTEXT, new=CANVAS, data=st.data())
    def test_only_what_is_committed_stays(self, either: TorchRuntime, context: list[int], new: list[int], data):
        """As verification does: a causal pass over a draft, of which the first few are kept."""
        commit = data.draw(st.integers(0, len(new)))
        cache = filled(either, context)
        either.forward(cache, Pass(new, wanted=range(len(new)), commit=commit))
        text = context + new[:commit]
        assert cache.tokens == text
        close(all_logits(either, cache, new), all_logits(either, filled(either, text), new))

    @given(context=CONTEXT, other=CANVAS, new=CANVAS, data=st.data())
    def test_a_copy_is_a_cache_of_its_own(self, either: TorchRuntime, context, other, new, data):
        length = data.draw(st.integers(0, len(context)))
        cache = filled(either, context)
        copy = cache.copy_prefix(length)
        assert copy.tokens == context[:length]
        either.forward(copy, Pass(other, commit=len(other)))
        assert cache.tokens == context
        assert copy.tokens == context[:length] + other
        close(all_logits(either, cache, new), all_logits(either, filled(either, context), new))
        close(all_logits(either, copy, new), all_logits(either, filled(either, context[:length] + other), new))

    def test_it_grows(self, either: TorchRuntime):
        """Beyond the first capacity, token by token and in a copy."""
        text = np.random.default_rng(1).integers(0, 320, 270).tolist()
        cache = filled(either, text[:250])
        small = cache.nbytes
        for token in text[250:]:
            either.forward(cache, Pass([token], commit=1))
        assert cache.nbytes > small
        whole = all_logits(either, either.new_cache(), text)
        close(all_logits(either, cache.copy_prefix(265), text[265:]), whole[265:])

    def test_its_tokens_cannot_be_changed_from_outside(self, runtime: TorchRuntime):
        cache = filled(runtime, [100, 101])
        cache.tokens.append(102)
        assert cache.tokens == [100, 101]

    def test_truncating_beyond_the_end_does_nothing(self, runtime: TorchRuntime):
        cache = filled(runtime, [100, 101])
        cache.truncate(5)
        assert cache.tokens == [100, 101]

    def test_one_working_cache_serves_several_sequences(self, static_runtime: TorchRuntime, runtime: TorchRuntime):
        texts = [[100, 101, 102], [100, 200, 201], [300]]
        caches = [filled(static_runtime, text) for text in texts]
        for token in (50, 60):
            for cache in caches:
                static_runtime.forward(cache, Pass([token], commit=1))
        for cache, text in zip(caches, texts, strict=True):
            expected = all_logits(runtime, filled(runtime, [*text, 50, 60]), [70])
            close(all_logits(static_runtime, cache, [70]), expected)


class TestStaticShapes:
    @given(context=CONTEXT, new=CANVAS, causal=st.booleans())
    def test_padding_changes_nothing(self, runtime, static_runtime, context: list[int], new: list[int], causal: bool):
        expected = all_logits(runtime, filled(runtime, context), new, causal)
        close(all_logits(static_runtime, filled(static_runtime, context), new, causal), expected)

    def test_the_sizes_are_those_of_decoding(self, checkpoint: Checkpoint):
        assert checkpoint.config.block_sizes == (4, 8)
        assert decoding_sizes(checkpoint.config) == [1, 4, 5, 8, 9]


class TestPredictions:
    @given(context=CONTEXT, new=CANVAS, causal=st.booleans(), data=st.data())
    def test_they_summarise_the_distribution(self, either: TorchRuntime, context, new, causal: bool, data):
        wanted = sorted(data.draw(st.sets(st.integers(0, len(new) - 1))))
        given_tokens = data.draw(st.lists(st.integers(17, 319), min_size=len(wanted), max_size=len(wanted)))
        cache = filled(either, context)
        request = Pass(new, wanted, causal, given=given_tokens)
        found = either.forward(cache, request)

        raw = either.logits(cache, request).double().numpy()
        raw[:, list(either.config.control.all)] = -np.inf
        probabilities = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
        logarithms = np.log(np.where(probabilities > 0, probabilities, 1))
        rows = np.arange(len(wanted))
        assert found.tokens.shape == found.probabilities.shape == (len(wanted), CANDIDATES)
        assert (found.tokens.dtype, found.probabilities.dtype) == (np.int64, np.float32)
        assert (found.entropy.dtype, found.log_probability.dtype) == (np.float32, np.float32)
        close(found.probabilities, np.sort(probabilities, axis=1)[:, ::-1][:, :CANDIDATES])
        close(found.probabilities, probabilities[rows[:, None], found.tokens])
        assert (np.diff(found.probabilities, axis=1) <= 0).all()
        assert all(len(set(row)) == CANDIDATES for row in found.tokens.tolist())
        close(found.entropy, -(probabilities * logarithms).sum(axis=1))
        close(found.log_probability, logarithms[rows, given_tokens])

    def test_without_given_tokens_the_best_is_scored(self, runtime: TorchRuntime):
        found = runtime.forward(runtime.new_cache(), Pass([100, 101], wanted=[0, 1]))
        close(np.exp(found.log_probability), found.probabilities[:, 0])

    def test_control_tokens_are_forbidden_unless_asked_for(self, runtime: TorchRuntime):
        control = runtime.config.control
        tempted = TokenBias(
            rows=np.array([0, 0], np.int64),
            tokens=np.array([control.mask, control.fim_end], np.int64),
            values=np.array([50, 40], np.float32),
        )
        cache = runtime.new_cache()
        refused = runtime.forward(cache, Pass([100], [0], given=[control.mask], bias=tempted))
        assert not set(refused.tokens[0].tolist()) & set(control.all)
        assert refused.log_probability[0] == -np.inf
        assert np.isfinite(refused.entropy[0])
        allowed = runtime.forward(cache, Pass([100], [0], control_tokens=(control.fim_end,), bias=tempted))
        assert allowed.tokens[0, 0] == control.fim_end
        assert allowed.probabilities[0, 0] > 0.99

    def test_certainty_leaves_the_others_in_order(self, runtime: TorchRuntime):
        """Probabilities that round to zero must not let forbidden tokens among the candidates."""
        sure = TokenBias(np.array([0], np.int64), np.array([200], np.int64), np.array([300], np.float32))
        found = runtime.forward(runtime.new_cache(), Pass([100], [0], bias=sure))
        assert found.tokens[0, 0] == 200
        assert not set(found.tokens[0].tolist()) & set(runtime.config.control.all)
        close(found.entropy, np.zeros(1))

    @given(values=st.lists(st.tuples(st.integers(0, 1), st.integers(17, 319), st.floats(-5, 5, width=32)), max_size=5))
    def test_a_bias_is_added_to_the_logits(self, runtime: TorchRuntime, values: list[tuple[int, int, float]]):
        """`rows` count the wanted positions, and biases of one token add up."""
        rows, tokens, amounts = zip(*values, strict=True) if values else ((), (), ())
        bias = TokenBias(np.array(rows, np.int64), np.array(tokens, np.int64), np.array(amounts, np.float32))
        new, wanted, scored = [100, 101, 102, 103], [1, 3], [150, 250]
        cache = runtime.new_cache()
        raw = runtime.logits(cache, Pass(new, wanted)).double()
        for row, token, amount in values:
            raw[row, token] += amount
        raw[:, list(runtime.config.control.all)] = -torch.inf
        expected = raw.log_softmax(dim=-1).numpy()
        found = runtime.forward(cache, Pass(new, wanted, given=scored, bias=bias))
        close(found.log_probability, expected[[0, 1], scored])
        close(found.probabilities[:, 0], np.exp(expected.max(axis=1)))

    def test_nothing_wanted_is_nothing_answered(self, either: TorchRuntime):
        cache = either.new_cache()
        found = either.forward(cache, Pass([100, 101], commit=2))
        assert found.tokens.shape == (0, CANDIDATES)
        assert cache.tokens == [100, 101]


class TestLoading:
    def test_a_quantized_folder_equals_its_dequantized_twin(self, tmp_path: Path):
        import safetensors.numpy

        quantized = open_tiny_checkpoint(tmp_path / "int8", quantized=True)
        twin = write_tiny_checkpoint(tmp_path / "float32")
        tensors = {name: quantized.float_tensor(name) for name in expected_tensors(quantized.config)}
        safetensors.numpy.save_file(tensors, twin / "model.safetensors")
        first, second = (TorchRuntime.load(loaded, device="cpu") for loaded in (quantized, open_checkpoint(str(twin))))
        text = list(range(20, 60))
        np.testing.assert_array_equal(
            all_logits(first, first.new_cache(), text), all_logits(second, second.new_cache(), text)
        )

    def test_the_decoder_has_the_tensors_of_a_checkpoint(self, tmp_path: Path):
        config = open_tiny_checkpoint(tmp_path, tied=False).config
        tensors = Decoder(config).checkpoint_tensors()
        assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == expected_tensors(config)

    @pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
    def test_other_formats_stay_near(self, checkpoint: Checkpoint, runtime: TorchRuntime, dtype: str):
        other = TorchRuntime.load(checkpoint, device="cpu", dtype=dtype)
        text = list(range(20, 60))
        expected = all_logits(runtime, runtime.new_cache(), text)
        difference = np.abs(all_logits(other, other.new_cache(), text) - expected)
        assert 0 < difference.max() < 0.1 * np.ptp(expected)
        assert other.description["precision"] == dtype

    def test_it_is_a_runtime(self, runtime: TorchRuntime):
        protocol: Runtime = runtime
        assert protocol.description["runtime"].startswith("PyTorch")
        assert protocol.description["precision"] == "float32"

    def test_what_is_not_there_is_named(self, checkpoint: Checkpoint):
        with pytest.raises(InputError, match="nonsense"):
            TorchRuntime.load(checkpoint, device="nonsense")
        with pytest.raises(InputError, match="int3"):
            TorchRuntime.load(checkpoint, dtype="int3")

    def test_a_text_longer_than_the_model_can_count_is_refused(self, runtime: TorchRuntime):
        cache = filled(runtime, [100] * 510)
        runtime.forward(cache, Pass([100, 100], commit=0))
        with pytest.raises(InputError, match="513 tokens do not fit"):
            runtime.forward(cache, Pass([100] * 3, commit=3))
        assert len(cache.tokens) == 510

    def test_without_torch_the_message_says_how_to_get_it(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setitem(sys.modules, "torch", None)
        for name in [name for name in sys.modules if name.startswith("coder.model.torch.")]:
            monkeypatch.delitem(sys.modules, name)
        with pytest.raises(MissingDependencyError, match=r"pip install .*\[torch\]"):
            importlib.import_module("coder.model.torch.runtime")
