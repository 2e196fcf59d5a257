"""The weights in GGUF are those of the checkpoint, and llama.cpp computes with them what this project computes."""

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from coder.diffusion.block_diffusion import Autoregressive
from coder.diffusion.run import DenoiseRequest, Sampler
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.convert.gguf_writer import write_gguf
from coder.model.onnx.runtime import OnnxRuntime
from tests.tiny import write_tiny_checkpoint

FORMS: dict[str, dict[str, Any]] = {
    "llama": {},
    "llama with biases": {"attention_bias": True, "mlp_bias": True},
    "qwen2": {},
    "starcoder2": {},
}


@pytest.fixture(scope="module", params=FORMS)
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    architecture, _, _ = request.param.partition(" ")
    folder = tmp_path_factory.mktemp("tiny")
    return open_checkpoint(str(write_tiny_checkpoint(folder, architecture=architecture, **FORMS[request.param])))


@pytest.fixture(scope="module")
def file(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file: Path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    write_gguf(checkpoint, file)
    return file


def test_matrices_survive_but_for_rounding(checkpoint: Checkpoint, file: Path):
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(file).tensors}
    for ours, theirs in (
        ("model.embed_tokens.weight", "token_embd.weight"),
        (f"model.layers.1.mlp.{checkpoint.config.layers.feed_forward.down}.weight", "blk.1.ffn_down.weight"),
        ("model.layers.0.self_attn.v_proj.weight", "blk.0.attn_v.weight"),
        ("model.norm.weight", "output_norm.weight"),
    ):
        stored = gguf.quants.dequantize(tensors[theirs].data, tensors[theirs].tensor_type)
        expected = checkpoint.float_tensor(ours)
        assert np.abs(stored.reshape(expected.shape) - expected).max() <= np.abs(expected).max() / 127


def test_query_rows_are_interleaved_for_ggmls_rotation_of_llama_alone(checkpoint: Checkpoint, file: Path):
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(file).tensors}
    stored = gguf.quants.dequantize(tensors["blk.0.attn_q.weight"].data, tensors["blk.0.attn_q.weight"].tensor_type)
    expected = checkpoint.float_tensor("model.layers.0.self_attn.q_proj.weight")
    half = checkpoint.config.head_dim // 2
    rows = [0, half, 1, half + 1] if checkpoint.config.architecture == "llama" else [0, 1, 2, 3]
    assert np.allclose(stored[0:4], expected[rows], atol=np.abs(expected).max() / 127)


def test_llama_cpp_continues_a_prompt_as_this_project_does(checkpoint: Checkpoint, file: Path):
    pytest.importorskip("llama_cpp")
    from benchmarks.llama_cpp_model import LlamaCpp

    runtime = OnnxRuntime.load(checkpoint, threads=1, weight_bits=32)
    theirs = LlamaCpp(file, checkpoint.config, threads=1, context_length=128)
    generator = np.random.default_rng(0)
    equal, total = 0, 0
    for _ in range(10):
        prompt = generator.integers(20, 300, 24).tolist()
        request = DenoiseRequest(prompt, runtime.new_cache(), Autoregressive(), checkpoint.config.control.fim_end, 4)
        output = [token for event in Sampler(runtime).denoise(request) for token in getattr(event, "tokens", ())]
        run = theirs.decode(prompt, max_tokens=4)
        assert run.prefill_tokens == 23
        assert run.passes == len(run.output) + run.ended
        equal += sum(ours == other for ours, other in zip(output, run.output, strict=False))
        total += len(output)
    theirs.close()
    assert equal >= 0.8 * total
