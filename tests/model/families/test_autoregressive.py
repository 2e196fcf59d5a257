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
from coder.generation.strategy import PassCosts  # noqa: E402
from coder.model.checkpoint.checkpoint import Checkpoint  # noqa: E402
from coder.model.checkpoint.opening import open_checkpoint  # noqa: E402
from coder.model.checkpoint.tokens import infill  # noqa: E402
from coder.model.onnx.runtime import OnnxRuntime  # noqa: E402
from coder.model.runtime import Pass  # noqa: E402
from coder.model.torch.runtime import TorchRuntime  # noqa: E402
from tests.tiny import write_tiny_tokenizer  # noqa: E402
from tests.train.infilling_models import SIZES, family, special_tokens  # noqa: E402
from tests.weight_bits import EXACT_BITS  # noqa: E402

SHAPE = {**SIZES, "hidden_size": 64}
"""Heads of 16, which ONNX Runtime needs."""

WINDOW = 24
"""Tokens of the sliding window, fewer than those of most texts here."""

CONFIGS = {
    "Qwen2.5-Coder": lambda size: transformers.Qwen2Config(**SHAPE, vocab_size=size, tie_word_embeddings=True),
    "DeepSeek-Coder": lambda size: transformers.LlamaConfig(
        **SHAPE, vocab_size=size, rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 100_000.0}
    ),
    "StarCoder2": lambda size: transformers.Starcoder2Config(
        **SHAPE, vocab_size=size, use_bias=True, sliding_window=WINDOW, norm_epsilon=1e-5
    ),
    "Granite Code": lambda size: transformers.LlamaConfig(
        **{**SHAPE, "num_key_value_heads": 4},
        vocab_size=size,
        attention_bias=True,
        mlp_bias=True,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
    ),
}
"""A configuration of each family, with what its authors' `config.json` sets apart."""


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
    model = transformers.AutoModelForCausalLM.from_config(CONFIGS[name](size + 6))
    with torch.no_grad():
        # Of its own accord transformers begins with biases of 0 and norms of 1, which nobody would miss.
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=CONFIGS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_published(tmp_path_factory.mktemp("published") / "model", request.param)


TOKENS = np.random.default_rng(0).integers(20, 250, 48).tolist()


@pytest.fixture(scope="module")
def reference(folder: Path) -> np.ndarray:
    """The logits of transformers for TOKENS, [tokens, vocabulary]."""
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        return model(torch.tensor([TOKENS])).logits[0].numpy()


def test_its_logits_are_those_of_transformers(folder: Path, reference: np.ndarray):
    runtime = TorchRuntime.load(open_checkpoint(str(folder)), device="cpu")
    ours = runtime.logits(runtime.new_cache(), Pass(TOKENS, wanted=range(len(TOKENS))))
    np.testing.assert_allclose(ours, reference, atol=1e-4, rtol=1e-4)


def of_ordinary(reference: np.ndarray, checkpoint: Checkpoint, targets: list[int]) -> np.ndarray:
    """Log-probabilities of the targets where no control token is possible."""
    logits = torch.tensor(reference)
    logits[:, list(checkpoint.config.control.all)] = -torch.inf
    return logits.log_softmax(dim=-1)[range(len(targets)), targets].numpy()


@pytest.mark.parametrize(("bits", "tolerance"), [(32, 1e-3), (EXACT_BITS[-1], 0.3)])
def test_onnx_runtime_finds_the_same_tokens_as_likely(folder: Path, reference: np.ndarray, bits: int, tolerance: float):
    checkpoint = open_checkpoint(str(folder))
    runtime = OnnxRuntime.load(checkpoint, threads=1, weight_bits=bits)
    request = Pass(TOKENS[:-1], wanted=range(len(TOKENS) - 1), given=TOKENS[1:])
    ours = runtime.forward(runtime.new_cache(), request).log_probability
    expected = of_ordinary(reference[:-1], checkpoint, TOKENS[1:])
    np.testing.assert_allclose(ours, expected, atol=tolerance)


@pytest.mark.parametrize("kind", ["torch", "onnx"])
def test_a_cache_and_a_batch_change_nothing(folder: Path, kind: str):
    checkpoint = open_checkpoint(str(folder))
    runtime = (
        TorchRuntime.load(checkpoint, device="cpu")
        if kind == "torch"
        else OnnxRuntime.load(checkpoint, threads=1, weight_bits=32)
    )
    whole = runtime.forward(runtime.new_cache(), Pass(TOKENS, wanted=range(40, 48)))
    caches = [runtime.new_cache() for _ in range(2)]
    for first, last in ((0, 30), (30, 31), (31, 40)):
        chunk = TOKENS[first:last]
        runtime.forward(caches[0], Pass(chunk, commit=len(chunk)))
    runtime.forward(caches[1], Pass(TOKENS[:7], commit=7))
    passes = [Pass(TOKENS[40:], wanted=range(8)), Pass(TOKENS[7:9], wanted=[1])]
    together, other = runtime.forward_batch(caches, passes)
    alone = runtime.forward(caches[1].copy_prefix(7), passes[1])
    np.testing.assert_allclose(together.probabilities, whole.probabilities, atol=1e-5)
    np.testing.assert_allclose(other.probabilities, alone.probabilities, atol=1e-5)


@pytest.mark.parametrize("name", ["Qwen2.5-Coder", "StarCoder2", "Granite Code"])
def test_a_gguf_file_is_the_same_model_with_the_same_tokenizer(tmp_path: Path, name: str):
    from coder.model.convert.gguf_writer import write_gguf

    original = open_checkpoint(str(write_published(tmp_path / "model", name)))
    file = tmp_path / "alone" / "model.gguf"
    file.parent.mkdir()
    write_gguf(original, file, "f32")
    tokens = list(range(20, 60))
    expected = TorchRuntime.load(original, device="cpu")
    for place in (file, file.parent):
        checkpoint = open_checkpoint(str(place))
        assert checkpoint.config.control == original.config.control
        assert checkpoint.config.abilities == original.config.abilities
        text = f"def add(a, b):\n    return {family(name).middle}"
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


@pytest.mark.parametrize(("wide", "chosen"), [(1.2, "lookup, draft 4"), (3.0, "autoregressive")])
def test_auto_drafts_by_lookup_where_a_wide_pass_is_cheap(folder: Path, wide: float, chosen: str):
    """The answer is that of one token a pass, under every bound of its own."""
    checkpoint = open_checkpoint(str(folder))
    runtime = OnnxRuntime.load(checkpoint, threads=1)
    engine = Engine(runtime, checkpoint, str(folder), costs=PassCosts({1: 1.0, 5: wide}))
    body = "".join(f"    value_{number} = read(number)\n" for number in range(12))
    answers = [
        engine.complete(CompletionRequest(f"def f():\n{body}    value", "\n", decoding=Decoding(policy, max_tokens=24)))
        for policy in ("auto", "autoregressive")
    ]
    engine.close()
    assert answers[0].statistics.policy == chosen
    assert answers[0].text == answers[1].text and answers[0].finish_reason == answers[1].finish_reason


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
    for change, message in (
        ({"hidden_act": "relu"}, "hidden_act"),
        ({"model_type": "gpt_bigcode"}, "positions are learned"),
        ({"model_type": "granite"}, "granite"),
    ):
        (folder / "config.json").write_text(json.dumps({**settings, **change}), encoding="utf-8")
        with pytest.raises(CheckpointError, match=message):
            open_checkpoint(str(folder))


def test_a_cursor_that_is_spelled_out_is_never_shown():
    assert without_cursor("a<|cursor|>b") == "ab"
    assert [surely_without_cursor("a" + "<|cursor|>"[:size]) for size in range(11)] == ["a"] * 11
