"""Checkpoints are found, validated before anything is loaded, and read exactly as stored."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import huggingface_hub.constants
import numpy as np
import pytest
import safetensors.numpy

from coder.errors import CheckpointError, MissingDependencyError
from coder.model.checkpoint.checkpoint import Quantized, expected_tensors
from coder.model.checkpoint.opening import find_checkpoint, open_checkpoint
from tests.tiny import SPECIAL_TOKENS, open_tiny_checkpoint, quantize, random_tensors, write_tiny_checkpoint

QUERY = "model.layers.1.self_attn.q_proj.weight"


def read(folder: Path) -> dict[str, np.ndarray]:
    return safetensors.numpy.load_file(folder / "model.safetensors")


def write(folder: Path, tensors: dict[str, np.ndarray], name: str = "model.safetensors") -> None:
    safetensors.numpy.save_file(tensors, folder / name)


def write_bfloat16(file: Path, upper_halves: dict[str, np.ndarray]) -> None:
    """Byte for byte, since numpy and so `safetensors.numpy` have no bfloat16: header size, header, values."""
    header, end = {}, 0
    for name, half in upper_halves.items():
        header[name] = {"dtype": "BF16", "shape": half.shape, "data_offsets": [end, end + half.nbytes]}
        end += half.nbytes
    encoded = json.dumps(header).encode()
    file.write_bytes(
        len(encoded).to_bytes(8, "little") + encoded + b"".join(map(np.ndarray.tobytes, upper_halves.values()))
    )


def change_settings(folder: Path, **changes: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | changes), encoding="utf-8")


class TestReading:
    @pytest.mark.parametrize("tied", [True, False])
    def test_float_tensors_come_as_they_are(self, tmp_path: Path, tied: bool):
        checkpoint = open_tiny_checkpoint(tmp_path, tied=tied)
        written = random_tensors(checkpoint.config, seed=0)
        assert ("lm_head.weight" in written) is not tied
        for name, values in written.items():
            np.testing.assert_array_equal(checkpoint.tensor(name), values)

    def test_quantized_matrices_come_with_their_scales(self, tmp_path: Path):
        checkpoint = open_tiny_checkpoint(tmp_path, quantized=True)
        written = quantize(random_tensors(checkpoint.config, seed=0))
        matrix, norm = checkpoint.tensor(QUERY), checkpoint.tensor("model.norm.weight")
        assert isinstance(matrix, Quantized) and isinstance(norm, np.ndarray)
        np.testing.assert_array_equal(matrix.values, written[QUERY])
        np.testing.assert_array_equal(matrix.scale, written[f"{QUERY}_scale"])
        np.testing.assert_array_equal(norm, written["model.norm.weight"])
        dequantized = checkpoint.float_tensor(QUERY)
        assert dequantized.dtype == np.float32
        np.testing.assert_allclose(dequantized, random_tensors(checkpoint.config, 0)[QUERY], atol=0.02)

    def test_half_precision_comes_as_float32(self, tmp_path: Path):
        written = {name: values.astype(np.float16) for name, values in read(write_tiny_checkpoint(tmp_path)).items()}
        write(tmp_path, written)
        values = open_checkpoint(str(tmp_path)).tensor(QUERY)
        assert isinstance(values, np.ndarray) and values.dtype == np.float32
        np.testing.assert_array_equal(values, written[QUERY].astype(np.float32))

    def test_bfloat16_comes_as_float32(self, tmp_path: Path):
        upper_halves = {
            name: (values.view(np.uint32) >> 16).astype(np.uint16)
            for name, values in read(write_tiny_checkpoint(tmp_path)).items()
        }
        write_bfloat16(tmp_path / "model.safetensors", upper_halves)
        values = open_checkpoint(str(tmp_path)).tensor(QUERY)
        assert isinstance(values, np.ndarray) and values.dtype == np.float32
        np.testing.assert_array_equal(values.view(np.uint32), upper_halves[QUERY].astype(np.uint32) << 16)

    @pytest.mark.parametrize("indexed", [True, False])
    def test_shards_are_one_checkpoint(self, tmp_path: Path, indexed: bool):
        tensors = read(write_tiny_checkpoint(tmp_path))
        (tmp_path / "model.safetensors").unlink()
        names, weight_map = sorted(tensors), {}
        for number in (1, 2):
            shard = f"model-0000{number}-of-00002.safetensors"
            write(tmp_path, {name: tensors[name] for name in names[number - 1 :: 2]}, shard)
            weight_map |= dict.fromkeys(names[number - 1 :: 2], shard)
        if indexed:
            index = tmp_path / "model.safetensors.index.json"
            index.write_text(json.dumps({"weight_map": weight_map}), encoding="utf-8")
        checkpoint = open_checkpoint(str(tmp_path))
        for name, values in tensors.items():
            np.testing.assert_array_equal(checkpoint.tensor(name), values)

        (tmp_path / "model-00002-of-00002.safetensors").unlink()
        missing = r"00002-of-00002\.safetensors is missing" if indexed else "tensor .* is missing"
        with pytest.raises(CheckpointError, match=missing):
            open_checkpoint(str(tmp_path))

    def test_the_embedded_checkpoint_is_whole(self):
        checkpoint = open_checkpoint("embedded")
        for name, shape in expected_tensors(checkpoint.config).items():
            values = checkpoint.tensor(name)
            if isinstance(values, Quantized):
                assert (values.values.shape, values.scale.shape) == (shape, shape[:1])
                assert values.scale.min() > 0
            else:
                assert values.shape == shape and np.isfinite(values).all()

    def test_opening_imports_no_framework(self):
        code = (
            "import sys; from coder.model.checkpoint.opening import open_checkpoint; open_checkpoint('embedded'); "
            "sys.exit(bool({'torch', 'transformers', 'onnxruntime', 'huggingface_hub'} & sys.modules.keys()))"
        )
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestVocabulary:
    def test_ids_that_pad_the_vocabulary_are_never_predicted(self, tmp_path: Path):
        write_tiny_checkpoint(tmp_path)
        tensors = read(tmp_path)
        size = len(tensors["model.embed_tokens.weight"])
        tensors["model.embed_tokens.weight"] = np.zeros((size + 4, 32), np.float32)
        write(tmp_path, tensors)
        change_settings(tmp_path, vocab_size=size + 4)
        everything = (*range(len(SPECIAL_TOKENS)), *range(size, size + 4))
        assert open_checkpoint(str(tmp_path)).config.control.all == everything

    def test_a_vocabulary_smaller_than_the_tokenizer_is_refused(self, tmp_path: Path):
        change_settings(write_tiny_checkpoint(tmp_path), vocab_size=300)
        with pytest.raises(CheckpointError, match="vocab_size is 300"):
            open_checkpoint(str(tmp_path))


class TestWeightsAreRefused:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return write_tiny_checkpoint(tmp_path, quantized=True)

    @pytest.fixture
    def tensors(self, folder: Path) -> dict[str, np.ndarray]:
        return read(folder)

    def refused(self, folder: Path, message: str) -> None:
        with pytest.raises(CheckpointError, match=message):
            open_checkpoint(str(folder))

    @pytest.mark.parametrize("name", [QUERY, f"{QUERY}_scale", "model.norm.weight"])
    def test_a_missing_tensor(self, folder: Path, tensors: dict[str, np.ndarray], name: str):
        del tensors[name]
        write(folder, tensors)
        self.refused(folder, f"tensor {name} is missing")

    @pytest.mark.parametrize("name", [QUERY, f"{QUERY}_scale"])
    def test_a_tensor_of_another_shape(self, folder: Path, tensors: dict[str, np.ndarray], name: str):
        write(folder, tensors | {name: tensors[name][:-1]})
        self.refused(folder, rf"tensor {name} .* shape \[63")

    @pytest.mark.parametrize(
        ("name", "dtype"), [(QUERY, np.int16), ("model.norm.weight", np.int8), (f"{QUERY}_scale", np.float16)]
    )
    def test_a_tensor_of_another_format(
        self, folder: Path, tensors: dict[str, np.ndarray], name: str, dtype: type[np.generic]
    ):
        write(folder, tensors | {name: tensors[name].astype(dtype)})
        self.refused(folder, f"tensor {name} .* stored as")

    @pytest.mark.parametrize("name", ["model.layers.2.mlp.up_proj.weight", "model.layers.0.self_attn.q_proj.bias"])
    def test_a_tensor_that_the_decoder_does_not_have(self, folder: Path, tensors: dict[str, np.ndarray], name: str):
        write(folder, tensors | {name: np.zeros(3, np.float32)})
        self.refused(folder, f"tensor {name}, which such a decoder")

    def test_a_copy_of_the_tied_head_is_harmless(self, folder: Path, tensors: dict[str, np.ndarray]):
        write(folder, tensors | {"lm_head.weight": np.zeros((320, 32), np.float32)})
        open_checkpoint(str(folder))

    def test_a_tensor_twice(self, folder: Path, tensors: dict[str, np.ndarray]):
        (folder / "model.safetensors").unlink()
        write(folder, tensors, "model-00001-of-00002.safetensors")
        write(folder, {QUERY: tensors[QUERY]}, "model-00002-of-00002.safetensors")
        self.refused(folder, f"tensor {QUERY} is both in")

    @pytest.mark.parametrize("kept", [0.99, 0.5, 0.01, 0.0])
    def test_a_truncated_file(self, folder: Path, kept: float):
        content = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(content[: int(kept * len(content))])
        self.refused(folder, r"model\.safetensors is truncated or not a safetensors file .* download it again")

    def test_a_renamed_pickle(self, folder: Path):
        (folder / "model.safetensors").write_bytes(pickle.dumps({"weight": list(range(1000))}))
        self.refused(folder, r"model\.safetensors is truncated or not a safetensors file")

    def test_a_git_lfs_pointer(self, folder: Path):
        pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 269060552\n"
        (folder / "model.safetensors").write_text(pointer, encoding="utf-8")
        self.refused(folder, "git lfs pull")

    @pytest.mark.parametrize("suffix", [".bin", ".pt", ".pth", ".ckpt", ".pkl"])
    def test_a_folder_of_pickles(self, folder: Path, suffix: str):
        (folder / "model.safetensors").rename(folder / f"pytorch_model{suffix}")
        self.refused(folder, rf"pytorch_model\{suffix}, a pickle.*convert it")

    def test_no_weights(self, folder: Path):
        (folder / "model.safetensors").unlink()
        self.refused(folder, r"holds neither")

    def test_an_index_without_a_map(self, folder: Path):
        (folder / "model.safetensors").rename(folder / "model-00001-of-00001.safetensors")
        (folder / "model.safetensors.index.json").write_text("{}", encoding="utf-8")
        self.refused(folder, "no weight_map")


class TestSettingsAreRefused:
    @pytest.mark.parametrize("content", ["{", "[]", "\ud800"])
    def test_a_config_that_is_no_object(self, tmp_path: Path, content: str):
        write_tiny_checkpoint(tmp_path)
        (tmp_path / "config.json").write_bytes(content.encode(errors="surrogatepass"))
        with pytest.raises(CheckpointError, match=r"config\.json (is not valid JSON|must hold a JSON object)"):
            open_checkpoint(str(tmp_path))

    def test_a_foreign_model_is_named_before_its_tokenizer_is_blamed(self, tmp_path: Path):
        write_tiny_checkpoint(tmp_path)
        (tmp_path / "tokenizer.json").unlink()
        change_settings(tmp_path, quickfill=None)
        change_settings(tmp_path, model_type="mamba")
        with pytest.raises(CheckpointError, match="mamba"):
            open_checkpoint(str(tmp_path))

    def test_an_empty_folder(self, tmp_path: Path):
        with pytest.raises(CheckpointError, match=r"config\.json is missing"):
            open_checkpoint(str(tmp_path))


class TestFinding:
    def test_the_embedded_one(self):
        assert (find_checkpoint("embedded") / "config.json").is_file()

    def test_a_folder(self, tmp_path: Path):
        assert find_checkpoint(str(tmp_path)) == tmp_path

    def test_a_file_is_not_a_folder(self, tmp_path: Path):
        (tmp_path / "model.gguf").touch()
        with pytest.raises(CheckpointError, match="a checkpoint is a folder"):
            find_checkpoint(str(tmp_path / "model.gguf"))

    @pytest.mark.parametrize("name", ["nowhere", "./no/where", "a/b/c"])
    def test_no_folder(self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(CheckpointError, match="no folder"):
            open_checkpoint(name)

    def test_a_hub_id_is_downloaded_without_pickles(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        asked = {}

        def snapshot_download(hub_id: str, **patterns: list[str]) -> str:
            asked[hub_id] = patterns
            return str(tmp_path)

        monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
        assert find_checkpoint("some-one/some.model") == tmp_path
        files = ["config.json", "model.safetensors", "pytorch_model.bin", "model.pkl", "onnx/model.safetensors"]
        kept = list(huggingface_hub.utils.filter_repo_objects(files, **asked["some-one/some.model"]))
        assert kept == ["config.json", "model.safetensors"]

    def test_offline_says_so(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
        with pytest.raises(
            CheckpointError, match=r"some-one/some-model.*not downloaded before.*network.*embedded model"
        ):
            find_checkpoint("some-one/some-model")

    def test_without_huggingface_hub(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setitem(sys.modules, "huggingface_hub", None)
        with pytest.raises(MissingDependencyError, match=r"pip install .*\[hub\]"):
            find_checkpoint("some-one/some-model")
