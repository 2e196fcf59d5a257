"""Published autoregressive models that fill in the middle: opened as they are, in their own layout."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from coder.api.completion import CompletionRequest, Decoding  # noqa: E402
from coder.engine.engine import Engine  # noqa: E402
from coder.errors import CheckpointError, InputError  # noqa: E402
from coder.generation.prompting import surely_without_cursor, without_cursor  # noqa: E402
from coder.model.checkpoint.opening import open_checkpoint  # noqa: E402
from coder.model.checkpoint.tokens import infill  # noqa: E402
from coder.model.runtime import Pass  # noqa: E402
from coder.model.torch.runtime import TorchRuntime  # noqa: E402
from tests.tiny import write_tiny_tokenizer  # noqa: E402
from tests.train.infilling_models import SIZES, family, special_tokens  # noqa: E402

SHAPE = {**SIZES, "hidden_size": 64}
"""Heads of 16, which ONNX Runtime needs."""

CONFIGS = {
    "Qwen2.5-Coder": lambda size: transformers.Qwen2Config(**SHAPE, vocab_size=size, tie_word_embeddings=True),
    "DeepSeek-Coder": lambda size: transformers.LlamaConfig(
        **SHAPE, vocab_size=size, rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 100_000.0}
    ),
}


def write_published(folder: Path, name: str) -> Path:
    """Write a random model as its authors publish theirs: tokens of holes not marked as special, texts normalised."""
    folder.mkdir()
    size = write_tiny_tokenizer(folder / "tokenizer.json", special_tokens(family(name)))
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    for token in tokenizer["added_tokens"]:
        token["special"] = token["content"] in (family(name).end, family(name).begin)
    tokenizer["normalizer"] = {"type": "NFC"}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    torch.manual_seed(0)
    transformers.AutoModelForCausalLM.from_config(CONFIGS[name](size + 6)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=CONFIGS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_published(tmp_path_factory.mktemp("published") / "model", request.param)


def test_its_logits_are_those_of_transformers(folder: Path):
    checkpoint = open_checkpoint(str(folder))
    tokens = np.random.default_rng(0).integers(20, 250, 48).tolist()
    runtime = TorchRuntime.load(checkpoint, device="cpu")
    ours = runtime.logits(runtime.new_cache(), Pass(tokens, wanted=range(len(tokens))))
    reference = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        theirs = reference(torch.tensor([tokens])).logits[0]
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_a_gguf_file_is_the_same_model_with_the_same_tokenizer(tmp_path: Path):
    from coder.model.convert.gguf_writer import write_gguf

    original = open_checkpoint(str(write_published(tmp_path / "model", "Qwen2.5-Coder")))
    file = tmp_path / "alone" / "model.gguf"
    file.parent.mkdir()
    write_gguf(original, file, "f32")
    tokens = list(range(20, 60))
    expected = TorchRuntime.load(original, device="cpu")
    for name in (file, file.parent):
        checkpoint = open_checkpoint(str(name))
        assert checkpoint.config.control == original.config.control
        assert checkpoint.config.abilities == original.config.abilities
        text = "def add(a, b):\n    return <|fim_middle|>"
        assert checkpoint.tokenizer.encode(text) == original.tokenizer.encode(text)
        runtime = TorchRuntime.load(checkpoint, device="cpu")
        request = Pass(tokens, wanted=range(len(tokens)))
        ours, theirs = (one.logits(one.new_cache(), request) for one in (runtime, expected))
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    (file.parent / "other.gguf").write_bytes(file.read_bytes())
    with pytest.raises(CheckpointError, match="2 models"):
        open_checkpoint(str(file.parent))


def test_both_runtimes_find_the_same_text_as_likely(folder: Path):
    scores = []
    for runtime in ("onnx", "torch"):
        engine = Engine.load(str(folder), runtime=runtime)
        scores.append(engine.score("def add(a, b):\n    ", "\n", "return a + b").log_probability)
        engine.close()
    assert scores[0] == pytest.approx(scores[1], abs=0.05 * abs(scores[1]))


@pytest.mark.parametrize("policy", ["auto", "autoregressive", "lookup"])
def test_it_completes_without_showing_a_control_token(folder: Path, policy: str):
    engine = Engine.load(str(folder), runtime="onnx")
    request = CompletionRequest("def add(a, b):\n    return ", "\n", decoding=Decoding(policy=policy, max_tokens=24))
    text = engine.complete(request).text
    engine.close()
    assert not [special for special in engine.checkpoint.tokenizer.special if special in text]


def test_it_fills_no_canvas(folder: Path):
    engine = Engine.load(str(folder), runtime="onnx")
    with pytest.raises(InputError, match="autoregressive"):
        engine.complete(CompletionRequest("x = ", "", decoding=Decoding(policy="threshold:0.9")))
    engine.close()


def test_a_text_that_spells_out_a_control_token_stays_text(folder: Path):
    tokenizer = open_checkpoint(str(folder)).tokenizer
    for text in tokenizer.special:
        assert not set(tokenizer.encode(text)) & set(tokenizer.control.all)
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_the_vocabulary_says_what_it_can_be_asked_and_what_ends_an_answer(tmp_path: Path):
    qwen = open_checkpoint(str(write_published(tmp_path / "qwen", "Qwen2.5-Coder")))
    special, control = qwen.tokenizer.special, qwen.config.control
    assert not qwen.config.adapted
    assert qwen.config.abilities.context and qwen.config.abilities.instructions
    ends = ("<|endoftext|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>", "<|im_end|>")
    assert control.ends == tuple(special[text] for text in ends)
    deep = open_checkpoint(str(write_published(tmp_path / "deep", "DeepSeek-Coder")))
    assert not deep.config.abilities.context and not deep.config.abilities.instructions
    assert infill(deep.config.control, [50], [60])[0] == deep.tokenizer.special[family("DeepSeek-Coder").begin]
    assert deep.config.control.ends == (deep.config.control.fim_end,)


def test_architectures_that_cannot_be_run_are_named(tmp_path: Path):
    folder = write_published(tmp_path / "model", "DeepSeek-Coder")
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    for change, message in (({"mlp_bias": True}, "mlp_bias"), ({"model_type": "starcoder2"}, "starcoder2")):
        (folder / "config.json").write_text(json.dumps({**settings, **change}), encoding="utf-8")
        with pytest.raises(CheckpointError, match=message):
            open_checkpoint(str(folder))


def test_a_cursor_that_is_spelled_out_is_never_shown():
    assert without_cursor("a<|cursor|>b") == "ab"
    assert [surely_without_cursor("a" + "<|cursor|>"[:size]) for size in range(11)] == ["a"] * 11
