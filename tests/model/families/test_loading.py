"""Loading: in bounded memory, in the formats there are, spread over devices, and told how far it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from coder.errors import InputError, MissingDependencyError
from coder.model.checkpoint.checkpoint import expected_tensors
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.checkpoint.stored_tensors import TensorHeader, to_bfloat16, write_tensors
from coder.model.runtime import Pass
from tests.families import PUBLISHED, write_family_checkpoint

torch = pytest.importorskip("torch")
from coder.model.torch.cache import TorchCache  # noqa: E402
from coder.model.torch.decoder import Decoder  # noqa: E402
from coder.model.torch.loading import load_decoder, plan  # noqa: E402
from coder.model.torch.runtime import TorchRuntime  # noqa: E402

CPU = torch.device("cpu")
TOKENS = list(range(40, 72))

MEASURE = """
import json, sys, psutil, torch
from coder.engine.memory import peak_memory
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.torch.loading import load_decoder

checkpoint, small = map(open_checkpoint, sys.argv[1:])
# What PyTorch loads when it is first used is no part of a model.
load_decoder(small, torch.device("cpu"), torch.bfloat16)
before = psutil.Process().memory_info().rss
decoder = load_decoder(checkpoint, torch.device("cpu"), torch.bfloat16)
size = sum(tensor.nbytes for tensor in decoder.parameters())
print(json.dumps({"size": size, "peak": peak_memory() - before}))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_family_checkpoint(tmp_path_factory.mktemp("family") / "dream", "dream")


@pytest.mark.slow
def test_no_more_memory_than_the_model_and_a_tenth(tmp_path: Path):
    """A model of 450 MB in bfloat16, in a process of its own."""
    small = write_family_checkpoint(tmp_path / "small", "dream")
    folder = write_family_checkpoint(tmp_path / "dream", "dream", shards=1)
    sizes = {"hidden_size": 1024, "intermediate_size": 2816, "num_hidden_layers": 8, "vocab_size": 65536}
    settings = json.loads((folder / "config.json").read_text()) | sizes | {"num_attention_heads": 16}
    (folder / "config.json").write_text(json.dumps(settings))
    shapes = {
        "model.embed_tokens.weight": (65536, 1024),
        "model.norm.weight": (1024,),
        "lm_head.weight": (65536, 1024),
    }
    for layer in (f"model.layers.{index}." for index in range(8)):
        shapes |= {
            f"{layer}input_layernorm.weight": (1024,),
            f"{layer}post_attention_layernorm.weight": (1024,),
            f"{layer}self_attn.q_proj.weight": (1024, 1024),
            f"{layer}self_attn.q_proj.bias": (1024,),
            f"{layer}self_attn.k_proj.weight": (128, 1024),
            f"{layer}self_attn.k_proj.bias": (128,),
            f"{layer}self_attn.v_proj.weight": (128, 1024),
            f"{layer}self_attn.v_proj.bias": (128,),
            f"{layer}self_attn.o_proj.weight": (1024, 1024),
            f"{layer}mlp.gate_proj.weight": (2816, 1024),
            f"{layer}mlp.up_proj.weight": (2816, 1024),
            f"{layer}mlp.down_proj.weight": (1024, 2816),
        }
    headers = [TensorHeader(name, "BF16", shape) for name, shape in shapes.items()]
    values = np.tile(to_bfloat16(np.random.default_rng(0).standard_normal(1 << 20).astype(np.float32)), 64)
    write_tensors(
        folder / "model.safetensors",
        headers,
        (values[: header.nbytes // 2].reshape(header.shape) for header in headers),
    )
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(folder), str(small)], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert found["size"] > 400e6
    assert found["peak"] < 1.1 * found["size"], f"{found['peak'] / found['size']:.2f} times the model"


def test_progress_goes_from_little_to_all(folder: Path):
    shares: list[float] = []
    load_decoder(open_checkpoint(str(folder)), CPU, torch.float32, progress=shares.append)
    assert shares == sorted(shares) and len(shares) == 5
    assert 0 < shares[0] < 1 and shares[-1] == pytest.approx(1)


@pytest.mark.parametrize("family", PUBLISHED)
def test_one_file_or_several_are_the_same(tmp_path: Path, family: str):
    one, three = (write_family_checkpoint(tmp_path / str(shards) / family, family, shards=shards) for shards in (1, 3))
    first, second = open_checkpoint(str(one)), open_checkpoint(str(three))
    for name in expected_tensors(first.config):
        np.testing.assert_array_equal(first.float_tensor(name), second.float_tensor(name))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_is_nearly_the_same(folder: Path, dtype: str):
    request = Pass(TOKENS, wanted=[5, 9], causal=False)
    exact = TorchRuntime.load(open_checkpoint(str(folder)), "cpu")
    half = TorchRuntime.load(open_checkpoint(str(folder)), "cpu", dtype)
    expected, found = (runtime.logits(runtime.new_cache(), request) for runtime in (exact, half))
    assert half.description["precision"] == dtype
    torch.testing.assert_close(found, expected, atol=0.5, rtol=0.1)


@pytest.mark.slow
def test_int8_weights_are_nearly_the_same(folder: Path):
    """torchao's, on the processor. Its 4-bit format needs a GPU."""
    pytest.importorskip("torchao")
    request = Pass(TOKENS, wanted=[5, 9], causal=False)
    exact = TorchRuntime.load(open_checkpoint(str(folder)), "cpu")
    small = TorchRuntime.load(open_checkpoint(str(folder)), "cpu", "int8")
    assert small.description["precision"] == "int8 weights, float32"
    expected, found = (runtime.logits(runtime.new_cache(), request) for runtime in (exact, small))
    assert not torch.equal(found, expected)
    torch.testing.assert_close(found, expected, atol=0.3, rtol=0.1)


def test_what_is_missing_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch):
    checkpoint = open_checkpoint(str(folder))
    monkeypatch.setitem(sys.modules, "torchao.quantization", None)
    with pytest.raises(MissingDependencyError, match=r"int8 weights.*torchao.*pip install .*\[quantized\]"):
        load_decoder(checkpoint, CPU, torch.float32, "int8")
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(MissingDependencyError, match=r"spread over devices with accelerate"):
        load_decoder(checkpoint, None, torch.float32)


class TestSpread:
    """accelerate says what lies where; there need not be the devices to ask it."""

    @pytest.fixture
    def decoder(self, folder: Path) -> Decoder:
        return Decoder.empty(open_checkpoint(str(folder)).config, torch.float32)

    def size(self, decoder: Decoder) -> int:
        return sum(tensor.nbytes for tensor in decoder.parameters())

    def test_what_does_not_fit_the_gpu_is_on_the_processor(self, decoder: Decoder):
        pytest.importorskip("accelerate")
        places = plan(decoder, memory={0: int(0.7 * self.size(decoder)), "cpu": 10 * self.size(decoder)})
        assert list(places) == ["embedding", "layers.0", "layers.1", "norm", "head"]
        assert places["embedding"] == torch.device("cuda:0") and places["head"] == CPU
        order = [place.type for place in places.values()]
        assert order == sorted(order, reverse=True), "in order, so that hidden states cross once"

    def test_quantised_more_fits(self, decoder: Decoder):
        pytest.importorskip("accelerate")
        memory = {0: int(0.7 * self.size(decoder)), "cpu": 10 * self.size(decoder)}
        places = plan(decoder, "int8", memory)
        assert set(places.values()) == {torch.device("cuda:0")}

    def test_what_fits_nowhere_is_refused(self, decoder: Decoder):
        pytest.importorskip("accelerate")
        with pytest.raises(InputError, match=r"do not fit this machine's memory.*dtype=int8.*quickfill models"):
            plan(decoder, memory={0: self.size(decoder) // 4, "cpu": self.size(decoder) // 4})

    def test_keys_and_values_lie_with_their_layers(self, folder: Path):
        """Two names of one device are two places to a cache."""
        runtime = TorchRuntime.load(open_checkpoint(str(folder)), "cpu")
        request = Pass(TOKENS, wanted=[5, 9], causal=False)
        spread = TorchCache(runtime.config, [CPU, torch.device("cpu:0")], torch.float32)
        together = runtime.new_cache()
        assert torch.equal(runtime.logits(spread, request), runtime.logits(together, request))
        assert spread.nbytes == together.nbytes
        spread.reserve(1000)
        assert spread.capacity == 1024 and [keys.shape[1] for keys in spread.keys] == [1024, 1024]
