"""A published model's folder is recognised by what is in it, read without any code of its own, and explained if not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from coder.errors import CheckpointError, InputError
from coder.model.checkpoint.checkpoint import Checkpoint, expected_tensors
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.families.catalog import FAMILIES
from tests.families import PUBLISHED, write_family_checkpoint
from tests.tiny import write_tiny_checkpoint

PROBE = 'def é(a\u0301):\r\n\treturn "<|mask|><|endoftext|>"  # 一\n'


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("families")
    return {family: write_family_checkpoint(root / family, family) for family in PUBLISHED}


def change(folder: Path, file: str, **fields: Any) -> None:
    """Other values in a JSON file; None removes one."""
    content = json.loads((folder / file).read_text()) | fields
    kept = {name: value for name, value in content.items() if value is not None}
    (folder / file).write_text(json.dumps(kept))


def test_every_family_has_a_checkpoint_here():
    assert {family.name for family in FAMILIES} == PUBLISHED.keys()


@pytest.mark.parametrize("family", PUBLISHED)
class TestEveryFamily:
    @pytest.fixture
    def checkpoint(self, folders: dict[str, Path], family: str) -> Checkpoint:
        return open_checkpoint(str(folders[family]))

    def test_is_told_from_the_others(self, checkpoint: Checkpoint, family: str):
        assert checkpoint.config.denoiser is not None
        assert checkpoint.config.denoiser.family == family

    def test_has_its_parameters_by_the_names_of_a_llama(self, checkpoint: Checkpoint, family: str):
        assert expected_tensors(checkpoint.config).keys() <= checkpoint.stored.keys()
        for name, shape in expected_tensors(checkpoint.config).items():
            assert checkpoint.float_tensor(name).shape == shape

    def test_gives_a_text_back_as_it_was(self, checkpoint: Checkpoint, family: str):
        tokenizer = checkpoint.tokenizer
        assert tokenizer.decode(tokenizer.encode(PROBE)) == PROBE
        assert not set(tokenizer.encode(PROBE)) & set(tokenizer.control.all)

    def test_never_writes_its_control_tokens(self, checkpoint: Checkpoint, family: str):
        control = checkpoint.config.control
        names = [checkpoint.tokenizer.special[text] for text in PUBLISHED[family].special]
        assert set(names) <= set(control.all)
        assert set(range(checkpoint.config.vocab_size)) - checkpoint.tokenizer.ids <= set(control.all)

    def test_knows_mask_and_ends(self, checkpoint: Checkpoint, family: str):
        assert checkpoint.config.control.mask == checkpoint.tokenizer.special[PUBLISHED[family].mask]
        assert checkpoint.config.denoiser is not None
        assert checkpoint.tokenizer.special["<|endoftext|>"] in checkpoint.config.denoiser.ends


@pytest.mark.parametrize(
    ("family", "attention", "shift"),
    [
        ("llada", None, False),
        ("dream", None, True),
        ("dreamon", None, True),
        ("open-dcoder", None, True),
        ("sdar", 4, False),
        ("fast-dllm-v2", 16, True),
        ("a2d-qwen3", None, False),
    ],
)
def test_what_a_token_sees_and_predicts(folders: dict[str, Path], family: str, attention: int | None, shift: bool):
    config = open_checkpoint(str(folders[family])).config
    assert (config.attention.block_size, config.shift) == (attention, shift)


def test_dreamon_alone_expands(folders: dict[str, Path]):
    expanding = {
        family: open_checkpoint(str(folder)).config.denoiser.expand  # type: ignore[union-attr]
        for family, folder in folders.items()
    }
    assert [family for family, expand in expanding.items() if expand is not None] == ["dreamon"]


@pytest.mark.parametrize(
    ("family", "name", "block"),
    [("sdar", "SDAR-1.7B-Chat-b16", 16), ("a2d-qwen3", "Qwen3-0.6B-diffusion-bd3lm-v0.1", 32)],
)
def test_blocks_that_the_name_alone_tells(tmp_path: Path, family: str, name: str, block: int):
    folder = write_family_checkpoint(tmp_path / name, family)
    assert open_checkpoint(str(folder)).config.attention.block_size == block
    assert open_checkpoint(f"{folder}?block=8").config.attention.block_size == 8


def test_blocks_that_the_settings_tell(tmp_path: Path):
    folder = write_family_checkpoint(tmp_path / "SDAR-b16", "sdar")
    change(folder, "config.json", block_size=8)
    assert open_checkpoint(str(folder)).config.attention.block_size == 8


@pytest.mark.parametrize("tokenizer", ["tokenizer.json", "vocab.json and merges.txt"])
def test_both_kinds_of_tokenizer_files_give_the_same_ids(tmp_path: Path, tokenizer: str):
    """As transformers' own Qwen2 tokenizer gives them."""
    transformers = pytest.importorskip("transformers")
    folder = write_family_checkpoint(tmp_path / "dream", "dream")
    opened = open_checkpoint(str(folder)).tokenizer
    vocabulary, merges = folder / "vocab.json", folder / "merges.txt"
    pairs = [tuple(line.split(" ")) for line in merges.read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    reference = transformers.Qwen2Tokenizer(json.loads(vocabulary.read_text(encoding="utf-8")), pairs)
    if tokenizer == "tokenizer.json":
        reference.backend_tokenizer.save(str(folder / "tokenizer.json"))
        change(folder, "config.json", mask_token_id=opened.special["<|mask|>"])
    for text in ("def add(first, second):\n    return first + second\n", "x = [1, 22, 333]  # it's\r\n\r\n\tend   \n"):
        expected = reference(text, add_special_tokens=False)["input_ids"]
        assert opened.encode(text) == expected


class TestOptions:
    def test_are_what_follows_the_name(self, folders: dict[str, Path]):
        query = "dtype=bfloat16&cache=dual&guidance=0.5&lengths=8,4&window=16&layout=chat&device=cpu"
        checkpoint = open_checkpoint(f"{folders['dream']}?{query}")
        denoiser = checkpoint.config.denoiser
        assert denoiser is not None
        assert (denoiser.cache, denoiser.guidance, denoiser.window) == ("dual", 0.5, 16)
        assert (denoiser.lengths, denoiser.layout) == ((4, 8), "chat")
        assert (checkpoint.options.dtype, checkpoint.options.device) == ("bfloat16", "cpu")

    def test_leave_the_familys_own_ways_otherwise(self, folders: dict[str, Path]):
        denoiser = open_checkpoint(str(folders["dream"])).config.denoiser
        assert denoiser is not None
        assert (denoiser.cache, denoiser.guidance) == ("none", 0.0), "nothing approximate unless it is asked for"

    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ("dtype=int3", "dtype is one of auto, float32"),
            ("cache=all", "cache is one of none, prefix, dual"),
            ("guidance=-1", "guidance=-1 is no number that fits"),
            ("lengths=4,x", "lengths=4,x is no number that fits"),
            ("window=0", "window=0 is no number that fits"),
            ("speed=11", "no model option 'speed'.*dtype, device, cache"),
        ],
    )
    def test_that_mean_nothing_are_explained(self, folders: dict[str, Path], query: str, message: str):
        with pytest.raises(InputError, match=message):
            open_checkpoint(f"{folders['dream']}?{query}")

    @pytest.mark.parametrize(
        ("family", "query", "message"),
        [
            ("sdar", "cache=prefix", "for full attention; sdar has blocks"),
            ("fast-dllm-v2", "guidance=1", "for full attention; fast-dllm-v2 has blocks"),
            ("dreamon", "cache=dual", "a canvas that changes its length"),
        ],
    )
    def test_that_do_not_fit_the_family_are_refused(
        self, folders: dict[str, Path], family: str, query: str, message: str
    ):
        with pytest.raises(InputError, match=message):
            open_checkpoint(f"{folders[family]}?{query}")

    def test_lengths_are_written_with_colons_where_a_comma_means_something_else(self, folders: dict[str, Path]):
        denoiser = open_checkpoint(f"{folders['dream']}?lengths=16:4").config.denoiser
        assert denoiser is not None and denoiser.lengths == (4, 16)

    def test_of_diffusion_models_do_not_fit_our_own(self, tmp_path: Path):
        folder = write_tiny_checkpoint(tmp_path / "tiny")
        assert open_checkpoint(f"{folder}?dtype=bfloat16").options.dtype == "bfloat16"
        with pytest.raises(InputError, match="no published diffusion model: it has no cache"):
            open_checkpoint(f"{folder}?cache=dual")

    def test_a_folder_with_a_question_mark_is_a_folder(self, tmp_path: Path):
        folder = write_tiny_checkpoint(tmp_path / "what?cache=dual")
        assert open_checkpoint(str(folder)).config.version == "tiny"


class TestWhatDoesNotFit:
    """The message says what is wrong and what to do."""

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"model_type": "mystery"}, "'mystery'.*nor of a known family.*quickfill models.*coder/model/families"),
            ({"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"]}, "no mask token|nor of a known family"),
            ({"mask_token_id": None}, "no mask token: config.json needs mask_token_id"),
            ({"hidden_act": "gelu"}, "hidden_act is 'gelu'; only 'silu'"),
            ({"use_sliding_window": True}, "use_sliding_window is True"),
            ({"rope_scaling": {"rope_type": "dynamic"}}, "RoPE of the kind 'dynamic'"),
            ({"num_key_value_heads": 3}, "is not a multiple"),
            ({"hidden_size": 48}, "has shape"),
            ({"vocab_size": 100}, "tokenizer.json has id"),
        ],
    )
    def test_settings(self, tmp_path: Path, fields: dict[str, Any], message: str):
        folder = write_family_checkpoint(tmp_path / "dream", "dream")
        # Nothing else that could name the mask.
        settings = json.loads((folder / "tokenizer_config.json").read_text())
        for entry in settings["added_tokens_decoder"].values():
            entry["content"] = entry["content"].replace("<|mask|>", "<|other|>")
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
        change(folder, "config.json", **fields)
        with pytest.raises(CheckpointError, match=message):
            open_checkpoint(str(folder))

    @pytest.mark.parametrize(
        ("file", "message"),
        [
            ("vocab.json", "neither a tokenizer.json nor vocab.json and merges.txt"),
            ("model-00001-of-00002.safetensors", "model-00001-of-00002.safetensors"),
        ],
    )
    def test_missing_files(self, tmp_path: Path, file: str, message: str):
        folder = write_family_checkpoint(tmp_path / "dream", "dream")
        (folder / file).unlink()
        with pytest.raises(CheckpointError, match=message):
            open_checkpoint(str(folder))

    def test_an_ordinary_qwen2_is_told_what_it_lacks(self, tmp_path: Path):
        folder = write_family_checkpoint(tmp_path / "qwen", "open-dcoder")
        text = (folder / "tokenizer.json").read_text(encoding="utf-8")
        (folder / "tokenizer.json").write_text(text.replace("<M>", "<N>"), encoding="utf-8")
        with pytest.raises(CheckpointError, match=r"ordinary autoregressive decoder.*mask token"):
            open_checkpoint(str(folder))

    def test_code_in_the_folder_is_never_run(self, tmp_path: Path):
        folder = write_family_checkpoint(tmp_path / "dream", "dream")
        change(folder, "config.json", auto_map={"AutoModel": "modeling_dream.DreamModel"})
        (folder / "modeling_dream.py").write_text("raise SystemExit('this must not run')")
        assert open_checkpoint(str(folder)).config.version == "dream"
