"""The uses of words in a corpus: files of code in a folder, or Parquet shards as `quickfill data` writes them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tokenizers

from coder.errors import InputError
from coder.installation import missing_extra
from coder.syntax.languages import language_of
from coder.train.published import VocabularySettings

TEXT_CHARACTERS = 20_000
"""So much of a text is counted, so that no long one decides."""

TEXTS = 256
"""Texts that are tokenised together."""


@dataclass(frozen=True)
class CorpusText:
    """A document, and whether it is Python."""

    text: str
    is_python: bool


def worth(
    tokenizer: tokenizers.Tokenizer, words: Sequence[str], texts: Iterable[CorpusText], settings: VocabularySettings
) -> Mapping[str, float]:
    """The worth of every word, by its uses in `texts`; see `base.toml`.

    Args:
        words: the vocabulary's, without control tokens, in the order of their ids.
    """
    python, others = count(tokenizer, texts, settings.most_tokens)
    first = words[: settings.first_words]
    bonus = dict.fromkeys(first, settings.first_words_uses)
    return {word: python[word] + settings.other_languages * others[word] + bonus.get(word, 0) for word in words}


def count(
    tokenizer: tokenizers.Tokenizer, texts: Iterable[CorpusText], most_tokens: int
) -> tuple[Counter[str], Counter[str]]:
    """The uses of words in Python and in everything else, each in so many tokens or a batch of texts more."""
    uses = Counter[str](), Counter[str]()
    waiting: tuple[list[str], list[str]] = [], []
    for text in texts:
        kind = 0 if text.is_python else 1
        if uses[kind].total() >= most_tokens:
            continue
        waiting[kind].append(text.text[:TEXT_CHARACTERS])
        if len(waiting[kind]) == TEXTS:
            _count(tokenizer, waiting[kind], uses[kind])
            waiting[kind].clear()
    for batch, counter in zip(waiting, uses, strict=True):
        _count(tokenizer, batch, counter)
    return uses


def _count(tokenizer: tokenizers.Tokenizer, batch: list[str], uses: Counter[str]) -> None:
    ids = Counter[int]()
    for encoded in tokenizer.encode_batch_fast(batch, add_special_tokens=False):  # which gives no texts
        ids.update(encoded.ids)
    for number, times in ids.items():
        uses[str(tokenizer.id_to_token(number))] += times


def read_texts(folder: Path, seed: int = 0) -> Iterator[CorpusText]:
    """The texts below a folder, in an order that the seed decides: rows of its Parquet shards, or else files of code.

    Raises InputError where there are none, MissingDependencyError for shards without pyarrow.
    """
    shards = sorted(folder.glob("*.parquet"))
    files = shards or sorted(
        file for file in folder.rglob("*") if language_of(file.name) is not None and file.is_file()
    )
    if not files:
        raise InputError(f"{folder} holds neither files of code nor Parquet shards; give a corpus to count")
    random.Random(seed).shuffle(files)
    for file in files:
        yield from _rows(file) if shards else [_file(file)]


def _file(file: Path) -> CorpusText:
    language = language_of(file.name)
    return CorpusText(
        file.read_text(encoding="utf-8", errors="ignore"), language is not None and language.name == "python"
    )


def _rows(shard: Path) -> Iterator[CorpusText]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise missing_extra("Parquet shards need pyarrow", "data") from error
    try:
        with parquet.ParquetFile(shard) as opened:
            for batch in opened.iter_batches(TEXTS, columns=["text", "language"]):
                yield from (CorpusText(row["text"], row["language"] == "python") for row in batch.to_pylist())
    except (OSError, KeyError, pa.ArrowException) as error:
        raise InputError(f"cannot read texts and languages in {shard}: {error}") from error
