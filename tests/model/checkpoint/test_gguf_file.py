"""GGUF files that the `gguf` package wrote are read as it reads them; damaged and hostile ones are refused by name."""

from __future__ import annotations

import json
import struct
import tracemalloc
from collections.abc import Mapping
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.errors import CheckpointError
from coder.model.checkpoint.checkpoint import weight_tensors
from coder.model.checkpoint.gguf_file import Kind, open_gguf, read_file

VALUES: dict[str, np.ndarray] = {
    "weight": np.arange(192, dtype=np.float32).reshape(2, 96) / 7,
    "bias": np.array([1, -2, 3], np.float32),
}


def write(file: Path, tensors: Mapping[str, np.ndarray] = VALUES, part: int | None = None) -> Path:
    """A file of the library's, matrices as Q5_0; the part of a model of two tensors in two parts, if so."""
    writer = gguf.GGUFWriter(file, "qwen2")
    writer.add_float32("qwen2.rope.freq_base", 1e6)
    writer.add_array("tokenizer.ggml.tokens", ["<|mask|>", "é", ""])
    writer.add_token_types([3, 1, 1])
    if part is not None:
        writer.add_uint16("split.no", part)
        writer.add_uint16("split.count", 2)
        writer.add_int32("split.tensors.count", 2)
    for name, values in tensors.items():
        kind = gguf.GGMLQuantizationType.Q5_0 if values.ndim == 2 else gguf.GGMLQuantizationType.F32
        writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def write_parts(folder: Path) -> list[Path]:
    first = write(folder / "m-00001-of-00002.gguf", {"weight": VALUES["weight"]}, part=0)
    return [first, write(folder / "m-00002-of-00002.gguf", {"bias": VALUES["bias"]}, part=1)]


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def header(tensors: int = 0, fields: int = 0, rest: bytes = b"", version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, fields) + rest


def tensor(name: str, shape: tuple[int, ...], form: int, offset: int) -> bytes:
    sizes = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    return text(name) + sizes + struct.pack("<IQ", form, offset)


class TestReading:
    def test_metadata_and_tensors_are_those_that_were_written(self, tmp_path: Path):
        file = read_file(write(tmp_path / "m.gguf"))
        assert file.value("general.architecture") == "qwen2"
        assert (file.fields["qwen2.rope.freq_base"].kind, file.value("qwen2.rope.freq_base")) == (Kind.F32, 1e6)
        assert file.value("tokenizer.ggml.tokens") == ["<|mask|>", "é", ""]
        assert file.value("tokenizer.ggml.token_type").tolist() == [3, 1, 1]
        theirs = {tensor.name: tensor for tensor in gguf.GGUFReader(tmp_path / "m.gguf").tensors}
        for name, values in VALUES.items():
            stored = file.tensors[name]
            assert stored.shape == values.shape
            assert np.array_equal(stored.blocks().ravel(), np.asarray(theirs[name].data).view(np.uint8).ravel())
            expected = gguf.quants.dequantize(theirs[name].data, theirs[name].tensor_type)
            assert np.array_equal(stored.read(), expected)
            assert np.array_equal(stored.read(slice(1, 2)), expected[1:2])

    def test_a_folder_with_a_model_in_parts_is_a_checkpoints_weights(self, tmp_path: Path):
        write_parts(tmp_path)
        (tmp_path / "adapter.safetensors").write_bytes(b"not of the base")
        assert {name: stored.shape for name, stored in weight_tensors(tmp_path).items()} == {
            "weight": (2, 96),
            "bias": (3,),
        }

    def test_layers_have_their_hugging_face_names(self, tmp_path: Path):
        names = {
            "token_embd.weight": "model.embed_tokens.weight",
            "blk.11.attn_k.bias": "model.layers.11.self_attn.k_proj.bias",
            "blk.0.ffn_norm.weight": "model.layers.0.post_attention_layernorm.weight",
            "output_norm.weight": "model.norm.weight",
        }
        write(tmp_path / "m.gguf", dict.fromkeys(names, VALUES["bias"]))
        assert list(weight_tensors(tmp_path)) == list(names.values())

    def test_what_is_not_said_is_named(self, tmp_path: Path):
        file = read_file(write(tmp_path / "m.gguf"))
        assert file.value("general.url", None) is None
        with pytest.raises(CheckpointError, match=r"m\.gguf does not say general\.url"):
            file.value("general.url")


class TestParts:
    def test_any_part_opens_the_model(self, tmp_path: Path):
        for part in write_parts(tmp_path):
            file = open_gguf(part)
            assert file.file.name == "m-00001-of-00002.gguf"
            assert np.array_equal(file.tensors["bias"].read(), VALUES["bias"])

    @pytest.mark.parametrize("lost", [0, 1])
    def test_a_missing_part_is_named(self, tmp_path: Path, lost: int):
        parts = write_parts(tmp_path)
        parts[lost].unlink()
        with pytest.raises(CheckpointError, match=f"lacks {parts[lost].name}: the model is in 2 parts"):
            weight_tensors(tmp_path)

    def test_a_name_of_many_parts_names_a_few(self, tmp_path: Path):
        file = write(tmp_path / "m-00001-of-99999.gguf")
        with pytest.raises(CheckpointError, match=r"m-00004-of-99999\.gguf and 99995 more"):
            open_gguf(file)

    def test_parts_under_each_others_names_are_refused(self, tmp_path: Path):
        first, second = write_parts(tmp_path)
        second.write_bytes(first.read_bytes())
        with pytest.raises(CheckpointError, match=r"00002\.gguf says that it is part 0 .*of 2, its name says 1"):
            open_gguf(first)

    def test_a_part_that_was_renamed_is_refused(self, tmp_path: Path):
        alone = write_parts(tmp_path)[0].rename(tmp_path / "m.gguf")
        with pytest.raises(CheckpointError, match=r"says that it is part 0 \(from 0\) of 2"):
            open_gguf(alone)

    def test_a_tensor_in_two_parts_is_refused(self, tmp_path: Path):
        first, second = write_parts(tmp_path)
        write(second, VALUES, part=1)
        with pytest.raises(CheckpointError, match="tensor weight is in two parts"):
            open_gguf(first)

    def test_parts_of_two_models_are_refused(self, tmp_path: Path):
        first, second = write_parts(tmp_path)
        write(second, {"a": VALUES["bias"], "b": VALUES["bias"]}, part=1)
        with pytest.raises(CheckpointError, match="hold 3 tensors, not 2; they are of two models"):
            open_gguf(first)

    def test_two_models_in_a_folder_are_refused(self, tmp_path: Path):
        write_parts(tmp_path)
        write(tmp_path / "other.gguf")
        with pytest.raises(CheckpointError, match=r"two models, m-00001-of-00002\.gguf and other\.gguf"):
            weight_tensors(tmp_path)


HOSTILE = {
    "empty": (b"", "has 0 bytes"),
    "another format": (b"safetensors", "is no GGUF file"),
    "a pointer of Git LFS": (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
    "version 1": (header(version=1), "of GGUF version 1"),
    "the other byte order": (b"GGUF" + struct.pack(">I", 3), "of GGUF version 50331648"),
    "2^63 tensors": (header(tensors=1 << 63), "truncated or damaged"),
    "2^64 - 1 fields": (header(fields=(1 << 64) - 1), "truncated or damaged"),
    "a key of 2^63 bytes": (header(fields=1, rest=struct.pack("<Q", 1 << 63)), "truncated or damaged"),
    "a key that is not UTF-8": (header(fields=1, rest=struct.pack("<Q", 1) + b"\xff"), "not UTF-8"),
    "a value of no type": (header(fields=1, rest=text("a") + struct.pack("<I", 13)), "value of type 13"),
    "2^62 numbers": (header(fields=1, rest=text("a") + struct.pack("<IIQ", 9, 10, 1 << 62)), "truncated or damaged"),
    "2^62 texts": (header(fields=1, rest=text("a") + struct.pack("<IIQ", 9, 8, 1 << 62)), "texts"),
    "four million texts": (header(fields=1, rest=text("a") + struct.pack("<IIQ", 9, 8, 1 << 22)), "truncated"),
    "arrays of arrays": (header(fields=1, rest=text("a") + struct.pack("<IIQ", 9, 9, 1)), "array of arrays"),
    "a key twice": (header(fields=2, rest=(text("a") + struct.pack("<IB", 0, 1)) * 2), "has a twice"),
    "no alignment": (header(fields=1, rest=text("general.alignment") + struct.pack("<II", 4, 0)), "alignment is 0"),
    "no dimension": (header(tensors=1, rest=tensor("a", (), 0, 0)), "tensor a has 0 dimensions"),
    "2^32 - 1 dimensions": (header(tensors=1, rest=text("a") + struct.pack("<I", (1 << 32) - 1)), "dimensions"),
    "an empty tensor": (header(tensors=1, rest=tensor("a", (0,), 0, 0)), r"shape \[0\]"),
    "2^128 values": (header(tensors=1, rest=tensor("a", (1 << 63, 1 << 63), 0, 0)), "would end at byte"),
    "an offset that overflows": (header(tensors=1, rest=tensor("a", (4,), 0, (1 << 64) - 32)), "would end at byte"),
    "an odd offset": (header(tensors=1, rest=tensor("a", (4,), 0, 1) + bytes(99)), "would end at byte"),
    "half a block": (header(tensors=1, rest=tensor("a", (48,), 6, 0) + bytes(99)), "blocks of 32"),
    "a format unknown": (header(tensors=1, rest=tensor("a", (32,), 99, 0)), "GGML's format 99; only F32, F16"),
    "two tensors of a name": (header(tensors=2, rest=tensor("a", (4,), 0, 0) * 2 + bytes(64)), "one name"),
}


@pytest.mark.parametrize(("content", "message"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_refused_without_taking_memory(tmp_path: Path, content: bytes, message: str):
    file = tmp_path / "m.gguf"
    file.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(CheckpointError, match=message) as raised:
        read_file(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(file) in str(raised.value)
    assert peak < 1 << 20


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("whole") / "m.gguf")


def test_a_file_cut_anywhere_is_refused(whole: Path, tmp_path: Path):
    content, file = whole.read_bytes(), tmp_path / "m.gguf"
    last = max(stored.offset + stored.blocks().size for stored in read_file(whole).tensors.values())
    for size in range(last):
        file.write_bytes(content[:size])
        with pytest.raises(CheckpointError):
            read_file(file)


@given(st.data())
def test_a_file_with_a_wrong_byte_is_read_or_refused(whole: Path, tmp_path_factory: pytest.TempPathFactory, data):
    content = bytearray(whole.read_bytes())
    content[data.draw(st.integers(0, 400))] = data.draw(st.integers(0, 255))
    file = tmp_path_factory.getbasetemp() / "changed.gguf"
    file.write_bytes(content)
    try:
        for stored in read_file(file).tensors.values():
            stored.read()
    except CheckpointError as error:
        json.dumps(str(error)).encode()
