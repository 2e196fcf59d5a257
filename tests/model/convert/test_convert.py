"""Conversions: whichever way a checkpoint goes, it computes what it computed before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from coder.api.completion import CompletionRequest, Decoding
from coder.engine.engine import Engine
from coder.errors import CheckpointError, InputError
from coder.model.checkpoint.adapter import write_adapter
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.config import Abilities
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.checkpoint.stored_tensors import to_bfloat16
from coder.model.checkpoint.tokens import CONTROL_TEXTS
from coder.model.convert import checkpoint_writer
from coder.model.convert.convert import Format, convert
from coder.model.runtime import Pass
from coder.model.torch.runtime import TorchRuntime
from tests.held_out import prompts
from tests.tiny import CORPUS, write_tiny_checkpoint, write_tiny_tokenizer

TOKENS = [17, 40, 300, 65, 66, 16, 250, 99]

BASE_NAMES = (
    "<|endoftext|> <|im_start|> <|im_end|> <repo_name> <reponame> <file_sep> <filename> <gh_stars> <issue_start> "
    "<issue_comment> <issue_closed> <jupyter_start> <jupyter_text> <jupyter_code> <jupyter_output> <jupyter_script> "
    "<empty_output>"
).split()
"""The special tokens of SmolLM2's vocabulary."""


def logits(checkpoint: Checkpoint, tokens: list[int] = TOKENS) -> np.ndarray:
    """float32 [M, vocabulary] of a causal pass by this project."""
    runtime = TorchRuntime.load(checkpoint, "cpu", "float32")
    return runtime.logits(runtime.new_cache(), Pass(tokens, wanted=range(len(tokens)))).numpy()


def stock_logits(folder: Path, tokens: list[int] = TOKENS) -> np.ndarray:
    """The same by stock transformers."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.inference_mode():
        return model(torch.tensor([tokens])).logits[0].numpy()


def opened(folder: Path) -> Checkpoint:
    return open_checkpoint(str(folder))


def write_stock(folder: Path, dtype: torch.dtype = torch.float32, tied: bool = True, **changes: Any) -> Path:
    """A checkpoint as transformers saves it, with a tokenizer that knows few of our control tokens."""
    folder.mkdir()
    settings = {
        "vocab_size": write_tiny_tokenizer(folder / "tokenizer.json", BASE_NAMES),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "max_position_embeddings": 512,
        "tie_word_embeddings": tied,
        "initializer_range": 0.3,
        "bos_token_id": 0,
        "eos_token_id": 0,
    }
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(**(settings | changes)))
    for parameter in model.parameters():
        parameter.data = parameter.data.to(dtype)
    model.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_a_stock_llama_and_back(tmp_path: Path, dtype: torch.dtype, tied: bool):
    stock = write_stock(tmp_path / "stock", dtype, tied)
    expected = stock_logits(stock)
    convert(str(stock), tmp_path / "ours", precision="f32")
    np.testing.assert_allclose(logits(opened(tmp_path / "ours")), expected, atol=1e-5)
    convert(str(tmp_path / "ours"), tmp_path / "back", to="transformers")
    assert (stock_logits(tmp_path / "back") == expected).all()


def test_control_tokens_that_the_vocabulary_lacks_take_ids_of_special_tokens_that_code_does_not_need(tmp_path: Path):
    convert(str(write_stock(tmp_path / "stock")), tmp_path / "ours")
    checkpoint = opened(tmp_path / "ours")
    control, special = checkpoint.config.control, checkpoint.tokenizer.special
    taken_over = {"<|mask|>": "<jupyter_script>", "<|fim_prefix|>": "<issue_start>", "<|fim_middle|>": "<empty_output>"}
    kept = {text: text for text in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")}
    assert {text: BASE_NAMES[special[text]] for text in (*taken_over, *kept)} == taken_over | kept
    assert control.fim_end == control.end_of_text == 0
    assert control.ends == (0, control.repo, control.file, control.turn_end)


def test_without_special_tokens_ids_that_pad_the_vocabulary_are_taken(tmp_path: Path):
    stock = write_stock(tmp_path / "stock", vocab_size=340)
    tokenizer = json.loads((stock / "tokenizer.json").read_text())
    for token in tokenizer["added_tokens"][3:]:
        del tokenizer["model"]["vocab"][token["content"]]
    tokenizer["added_tokens"] = tokenizer["added_tokens"][:3]
    (stock / "tokenizer.json").write_text(json.dumps(tokenizer))
    convert(str(stock), tmp_path / "ours", precision="f32")
    checkpoint = opened(tmp_path / "ours")
    named = {name: getattr(checkpoint.config.control, name) for name in CONTROL_TEXTS}
    assert named["end_of_text"] == 0
    assert len(set(named.values())) == len(set(CONTROL_TEXTS.values()))
    assert checkpoint.tokenizer.decode(checkpoint.tokenizer.encode(CORPUS[0])) == CORPUS[0]


@pytest.mark.parametrize("tied", [True, False])
def test_our_int8_as_a_stock_llama_and_back(tmp_path: Path, tied: bool):
    source = opened(write_tiny_checkpoint(tmp_path / "int8", quantized=True, tied=tied))
    convert(str(source.folder), tmp_path / "stock", to="transformers")
    np.testing.assert_allclose(stock_logits(tmp_path / "stock"), logits(source), atol=1e-5)
    convert(str(tmp_path / "stock"), tmp_path / "back")
    back = opened(tmp_path / "back")
    assert back.stored["model.layers.0.mlp.up_proj.weight"].dtype == "I8"
    np.testing.assert_allclose(logits(back), logits(source), atol=1e-5)
    assert back.config == source.config


def test_for_vllm_the_middle_ends_generation_and_the_canvas_has_room_for_its_anchor(tmp_path: Path):
    source = opened(write_tiny_checkpoint(tmp_path / "tiny"))
    control = source.config.control
    convert(str(source.folder), tmp_path / "served", to="vllm")
    settings = json.loads((tmp_path / "served" / "config.json").read_text())
    assert settings["architectures"] == ["QuickfillForBlockDiffusion"]
    assert settings["canvas_length"] == max(source.config.block_sizes) + 1
    assert settings["eos_token_id"] == settings["quickfill"]["end_token"] == control.fim_end
    assert {control.mask, control.hole} <= set(settings["quickfill"]["forbidden_tokens"])
    assert control.fim_end not in settings["quickfill"]["forbidden_tokens"]
    assert AutoTokenizer.from_pretrained(tmp_path / "served").eos_token_id == control.fim_end
    assert opened(tmp_path / "served").config.control == control


def test_for_vllm_the_end_of_a_text_ends_generation_and_biases_are_named(tmp_path: Path):
    source = write_tiny_checkpoint(tmp_path / "ours", architecture="qwen2")
    convert(str(source), tmp_path / "served", to="vllm")
    written = {
        name: json.loads((tmp_path / "served" / name).read_text(encoding="utf-8"))
        for name in ("config.json", "generation_config.json", "tokenizer_config.json")
    }
    assert written["config.json"]["qkv_bias"] is True
    assert written["config.json"]["eos_token_id"] == written["generation_config.json"]["eos_token_id"] == 0
    assert written["tokenizer_config.json"]["eos_token"] == "<|endoftext|>"


def test_for_vllm_the_local_autoregression_stays_behind(tmp_path: Path):
    source = write_tiny_checkpoint(tmp_path / "tiny", local_width=24)
    convert(str(source), tmp_path / "served", to="vllm")
    served = open_checkpoint(str(tmp_path / "served"))
    assert served.config.local_width == 0
    assert not any(name.startswith("local.") for name in served.stored)


def test_for_vllm_layers_that_the_plugin_lacks_are_refused(tmp_path: Path):
    source = write_tiny_checkpoint(tmp_path / "ours", architecture="starcoder2")
    with pytest.raises(CheckpointError, match="starcoder2"):
        convert(str(source), tmp_path / "served", to="vllm")


def test_what_never_saw_a_canvas_is_not_written_for_vllm(tmp_path: Path):
    with pytest.raises(CheckpointError, match="without a plugin"):
        convert(str(write_stock(tmp_path / "stock")), tmp_path / "served", to="vllm")


def test_int8_is_copied_bit_by_bit(tmp_path: Path):
    source = opened(write_tiny_checkpoint(tmp_path / "int8", quantized=True))
    convert(str(source.folder), tmp_path / "copy")
    copy = opened(tmp_path / "copy")
    for name, tensor in source.stored.items():
        assert (copy.stored[name].read() == tensor.read()).all()


def test_the_tokenizer_of_a_stock_folder_works_in_transformers(tmp_path: Path):
    source = opened(write_tiny_checkpoint(tmp_path / "tiny"))
    convert(str(source.folder), tmp_path / "stock", to="transformers", precision="bf16")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "stock")
    assert tokenizer(CORPUS[1])["input_ids"] == source.tokenizer.encode(CORPUS[1])
    assert tokenizer.eos_token_id == source.config.control.end_of_text


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(("precision", "tolerance"), [("f32", 1e-5), ("bf16", 0.5), ("int8", 0.5)])
def test_through_gguf(tmp_path: Path, tied: bool, precision: checkpoint_writer.Precision, tolerance: float):
    source = opened(write_tiny_checkpoint(tmp_path / "tiny", tied=tied))
    convert(str(source.folder), tmp_path / "tiny.gguf", to="gguf", precision=precision)
    convert(str(tmp_path / "tiny.gguf"), tmp_path / "back", precision="f32")
    back = opened(tmp_path / "back")
    assert back.config == source.config
    np.testing.assert_allclose(logits(back), logits(source), atol=tolerance)
    for text in (*CORPUS, "x = 1234  # <|mask|> é\n"):
        assert back.tokenizer.encode(text) == source.tokenizer.encode(text)


def test_a_gguf_of_others_gets_our_settings(tmp_path: Path):
    import gguf

    convert(str(write_stock(tmp_path / "stock")), tmp_path / "ours", precision="f32")
    convert(str(tmp_path / "ours"), tmp_path / "a.gguf", to="gguf", precision="f32")
    # Another program's file has no settings of ours; the key's bytes are renamed in place.
    content = (tmp_path / "a.gguf").read_bytes()
    (tmp_path / "b.gguf").write_bytes(content.replace(b"quickfill.settings", b"somebody_.settings"))
    assert gguf.GGUFReader(tmp_path / "b.gguf").get_field("quickfill.settings") is None
    convert(str(tmp_path / "b.gguf"), tmp_path / "back", precision="f32")
    assert not opened(tmp_path / "back").config.adapted
    assert (logits(opened(tmp_path / "back")) == logits(opened(tmp_path / "ours"))).all()


def test_an_adapted_checkpoint_keeps_its_settings(tmp_path: Path):
    folder = write_tiny_checkpoint(tmp_path / "tiny")
    settings = json.loads((folder / "config.json").read_text())
    settings["quickfill"]["abilities"] = {"holes": True, "edits": False, "correction": True}
    settings["quickfill"]["somebody's own"] = [1, 2]
    (folder / "config.json").write_text(json.dumps(settings))
    convert(str(folder), tmp_path / "a", to="transformers")
    convert(str(tmp_path / "a"), tmp_path / "b.gguf", to="gguf")
    convert(str(tmp_path / "b.gguf"), tmp_path / "c")
    assert opened(tmp_path / "c").config.abilities == Abilities(holes=True, correction=True)
    assert json.loads((tmp_path / "c" / "config.json").read_text())["quickfill"]["somebody's own"] == [1, 2]


def test_large_checkpoints_are_cut_into_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checkpoint_writer, "SHARD_BYTES", 20_000)
    source = opened(write_tiny_checkpoint(tmp_path / "tiny", tied=False))
    convert(str(source.folder), tmp_path / "quickfill")
    convert(str(source.folder), tmp_path / "transformers", to="transformers")
    for folder in (tmp_path / "quickfill", tmp_path / "transformers"):
        assert len(list(folder.glob("*.safetensors"))) > 2
    np.testing.assert_allclose(logits(opened(tmp_path / "quickfill")), logits(source), atol=0.5)
    np.testing.assert_allclose(stock_logits(tmp_path / "transformers"), logits(source), atol=1e-5)


@given(arrays.arrays(np.float32, 20, elements=st.floats(-(2.0**100), 2.0**100, width=32)))
def test_bfloat16_is_rounded_as_pytorch_does(values: np.ndarray):
    expected = torch.from_numpy(values).to(torch.bfloat16).view(torch.int16).numpy().view(np.uint16)
    assert (to_bfloat16(values) == expected).all()


def test_an_unadapted_checkpoint_says_so_and_decodes_token_by_token_only(tmp_path: Path):
    convert(str(write_stock(tmp_path / "stock")), tmp_path / "ours")
    engine = Engine.load(str(tmp_path / "ours"), runtime="onnx", threads=1)
    assert not engine.config.adapted
    assert (
        engine.complete(CompletionRequest("x = ", decoding=Decoding(max_tokens=3))).statistics.policy
        == "autoregressive"
    )
    for policy in ("threshold:0.9", "verified"):
        with pytest.raises(InputError, match="has not been adapted"):
            engine.complete(CompletionRequest("x = ", decoding=Decoding(policy=policy)))
    engine.close()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}, "only these decoders"),
        ({"attention_bias": True}, "self_attn.q_proj.bias is missing"),
        ({"mlp_bias": True}, "mlp.gate_proj.bias is missing"),
        ({"hidden_act": "gelu"}, "silu"),
        ({"rope_scaling": {"rope_type": "llama3", "factor": 8.0}, "rope_parameters": None}, "RoPE"),
        ({"num_hidden_layers": 3}, "model.layers.2"),
        ({"vocab_size": 100}, "vocab_size"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(tmp_path: Path, changes: dict[str, Any], message: str):
    stock = write_stock(tmp_path / "stock")
    settings = json.loads((stock / "config.json").read_text()) | changes
    (stock / "config.json").write_text(json.dumps(settings))
    with pytest.raises(CheckpointError, match=message):
        convert(str(stock), tmp_path / "ours")
    assert {path.name for path in tmp_path.iterdir()} == {"stock"}


def test_pickled_weights_are_refused(tmp_path: Path):
    stock = write_stock(tmp_path / "stock")
    (stock / "model.safetensors").rename(stock / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="pickle"):
        convert(str(stock), tmp_path / "ours")


def test_a_vocabulary_without_room_is_refused_unless_another_tokenizer_is_given(tmp_path: Path):
    stock = write_stock(tmp_path / "stock")
    good = (stock / "tokenizer.json").read_text()
    tokenizer = json.loads(good)
    tokenizer["added_tokens"] = tokenizer["added_tokens"][:5]
    (stock / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(CheckpointError, match=r"1 spare ids.*--tokenizer"):
        convert(str(stock), tmp_path / "ours")
    (tmp_path / "tokenizer.json").write_text(good)
    convert(str(stock), tmp_path / "ours", tokenizer=tmp_path / "tokenizer.json")
    assert opened(tmp_path / "ours").config.control.mask == 15


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF\x03\x00\x00\x00" + bytes(range(200))])
def test_a_damaged_gguf_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "damaged.gguf").write_bytes(content)
    with pytest.raises(CheckpointError, match="download it again"):
        convert(str(tmp_path / "damaged.gguf"), tmp_path / "ours")


def test_int8_is_no_format_of_transformers(tmp_path: Path):
    with pytest.raises(InputError, match="bf16 or f32"):
        convert("embedded", tmp_path / "stock", to="transformers", precision="int8")


def test_nothing_is_overwritten_unless_asked_to(tmp_path: Path):
    source = write_tiny_checkpoint(tmp_path / "tiny")
    there = write_tiny_checkpoint(tmp_path / "there", seed=1)
    before = (there / "model.safetensors").read_bytes()
    with pytest.raises(InputError, match="--force"):
        convert(str(source), there)
    assert (there / "model.safetensors").read_bytes() == before
    convert(str(source), there, precision="f32", force=True)
    assert (logits(opened(there)) == logits(opened(source))).all()
    with pytest.raises(InputError, match="what is to be converted"):
        convert(str(source), source, force=True)


def test_a_folder_that_is_no_checkpoint_is_never_replaced(tmp_path: Path):
    source = write_tiny_checkpoint(tmp_path / "tiny")
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "cat.png").write_bytes(b"cat")
    with pytest.raises(InputError, match="no checkpoint"):
        convert(str(source), photos, force=True)
    assert (photos / "cat.png").exists()


@pytest.mark.parametrize(("to", "name"), [("quickfill", "out"), ("gguf", "out.gguf")])
def test_what_is_cut_short_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: Format, name: str):
    source = write_tiny_checkpoint(tmp_path / "tiny")
    convert(str(source), tmp_path / name, to=to)
    read = Checkpoint.tensor

    def failing(self: Checkpoint, tensor: str) -> Any:
        if tensor == "model.norm.weight":
            raise OSError("disk full")
        return read(self, tensor)

    monkeypatch.setattr(Checkpoint, "tensor", failing)
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    with pytest.raises(OSError, match="disk full"):
        convert(str(source), tmp_path / name, to=to, force=True)
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*")) == before


@pytest.mark.slow
def test_embedded(tmp_path: Path):
    """A stock model in bfloat16 is what stock transformers says it is, and from there back in int8 it loses no more
    than int8 ever does."""
    source = open_checkpoint("embedded")
    tokens = next(prompts(source.tokenizer, 1, 160))
    convert("embedded", tmp_path / "stock", to="transformers", precision="bf16")
    convert(str(tmp_path / "stock"), tmp_path / "int8")
    exact, back = logits(source, tokens), logits(opened(tmp_path / "int8"), tokens)
    stock = stock_logits(tmp_path / "stock", tokens)
    np.testing.assert_allclose(stock, logits(opened(tmp_path / "stock"), tokens), atol=1e-3)
    for other in (stock, back):
        assert (exact.argmax(axis=1) == other.argmax(axis=1)).mean() > 0.92
        assert abs(loss(exact, tokens) - loss(other, tokens)) < 0.03


def loss(rows: np.ndarray, tokens: list[int]) -> float:
    """Mean loss in nats of each token given those before it."""
    return float(torch.nn.functional.cross_entropy(torch.from_numpy(rows[:-1]), torch.tensor(tokens[1:])))


class TestAdapters:
    """An adapter becomes part of the weights, whether the checkpoint names it or the command does."""

    @pytest.fixture
    def adapted(self, tmp_path: Path) -> Path:
        folder = write_tiny_checkpoint(tmp_path / "tiny")
        plain = opened(folder)
        name = "model.layers.0.mlp.up_proj.weight"
        rows, columns = plain.stored[name].shape
        random = np.random.default_rng(0)
        change = (random.normal(0, 0.1, (2, columns)), random.normal(0, 0.1, (rows, 2)))
        changes = {name: (change[0].astype(np.float32), change[1].astype(np.float32))}
        write_adapter(folder / "own.safetensors", plain, changes, scale=2.0)
        return folder

    @pytest.mark.parametrize("named", [True, False], ids=["in its settings", "in the command"])
    def test_the_outcome_computes_what_the_adapted_model_does(self, adapted: Path, tmp_path: Path, named: bool):
        source = f"{adapted}+{adapted / 'own.safetensors'}"
        expected = logits(open_checkpoint(source))
        assert np.abs(expected - logits(opened(adapted))).max() > 0.01
        if named:
            settings = json.loads((adapted / "config.json").read_text())
            settings["quickfill"] |= {"adapter": "own.safetensors"}
            settings["quickfill"]["abilities"] |= {"instructions": True}
            (adapted / "config.json").write_text(json.dumps(settings))
            source = str(adapted)
        convert(source, tmp_path / "merged", "quickfill", "f32")
        merged = opened(tmp_path / "merged")
        assert np.abs(expected - logits(merged)).max() < 1e-4
        assert not merged.adapters and not merged.config.abilities.instructions
