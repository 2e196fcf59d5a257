"""The splits of the corpus, decided by package so that no package is in two: their shards, and the tokens in them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

from coder.model.checkpoint.files import embedded_folder
from coder.model.checkpoint.tokens import Tokenizer
from data.document import HELD_OUT, TRAIN, VALIDATION, CorpusDocument, Kept
from data.running import map_in_processes
from data.shards import ShardWriter, read_shard
from data.tally import Tally

SplitTotals = dict[str, Counter[str]]
"""For each split its documents, those of them that are tests, bytes and tokens."""


def write_splits(shards: Sequence[Path], out: Path, split: Split, shard_bytes: int) -> Iterator[Tally]:
    """`train-00000.parquet` and so on in `out`; what was written, an input shard at a time."""
    writers: dict[str, ShardWriter] = {}
    for shard in shards:
        tally = Tally()
        for document in read_shard(shard, CorpusDocument):
            verdict = split(document)
            tally.count(document, verdict)
            name = verdict.document.split
            writer = writers.setdefault(name, ShardWriter(out, name, CorpusDocument, shard_bytes))
            writer.write(verdict.document)
        yield tally
    for writer in writers.values():
        writer.close()


def count_splits(shards: Sequence[Path], processes: int) -> Iterator[SplitTotals]:
    """The documents and tokens (of the embedded model) of finished shards, a shard at a time."""
    yield from map_in_processes(partial(_count_shard, embedded_folder() / "tokenizer.json"), shards, processes)


@cache
def _tokenizer(file: Path) -> Tokenizer:
    return Tokenizer(file)


def _count_shard(tokenizer: Path, shard: Path) -> SplitTotals:
    encode = _tokenizer(tokenizer).encode
    totals: SplitTotals = {}
    for document in read_shard(shard, CorpusDocument):
        counter = totals.setdefault(document.split, Counter())
        counter.update(documents=1, bytes=document.size, tokens=len(encode(document.text)), tests=document.is_test)
    return totals


HASHES = 2**64


@dataclass(frozen=True)
class Split:
    """Attributes: held_out: normalised names of packages that no training sees. validation: the share of the others,
    by number of packages, that training is watched with. seed: another one draws others."""

    held_out: frozenset[str]
    validation: float = 0.0
    seed: int = 0
    name = "split"

    def __call__(self, document: CorpusDocument) -> Kept:
        return Kept(replace(document, split=self.of(document.package)))

    def of(self, package: str) -> str:
        if package in self.held_out:
            return HELD_OUT
        digest = hashlib.sha256(f"{self.seed}:{package}".encode()).digest()
        return VALIDATION if int.from_bytes(digest[:8], "big") < self.validation * HASHES else TRAIN
