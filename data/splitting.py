"""The corpus as it is used: shards for each split, and how many tokens they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache, partial
from importlib.resources import files
from pathlib import Path

from coder.model.checkpoint.tokens import Tokenizer
from data.document import Document
from data.running import map_in_processes
from data.shards import ShardWriter, read_shard
from data.steps.split import Split
from data.tally import Tally

SplitTotals = dict[str, Counter[str]]
"""For each split its documents, those of them that are tests, bytes and tokens."""


def write_splits(shards: Sequence[Path], out: Path, split: Split, shard_bytes: int) -> Iterator[Tally]:
    """`train-00000.parquet` and so on in `out`; what was written, an input shard at a time."""
    writers: dict[str, ShardWriter] = {}
    for shard in shards:
        tally = Tally()
        for document in read_shard(shard, Document):
            verdict = split(document)
            tally.count(document, verdict)
            name = verdict.document.split
            writer = writers.setdefault(name, ShardWriter(out, name, Document, shard_bytes))
            writer.write(verdict.document)
        yield tally
    for writer in writers.values():
        writer.close()


def count_splits(shards: Sequence[Path], processes: int) -> Iterator[SplitTotals]:
    """What finished shards hold, in tokens of the embedded model, a shard at a time."""
    yield from map_in_processes(partial(_count_shard, embedded_tokenizer()), shards, processes)


def embedded_tokenizer() -> Path:
    return Path(str(files("coder") / "weights" / "tokenizer.json"))


@cache
def _tokenizer(file: Path) -> Tokenizer:
    return Tokenizer(file)


def _count_shard(tokenizer: Path, shard: Path) -> SplitTotals:
    encode = _tokenizer(tokenizer).encode
    totals: SplitTotals = {}
    for document in read_shard(shard, Document):
        counter = totals.setdefault(document.split, Counter())
        counter.update(documents=1, bytes=document.size, tokens=len(encode(document.text)), tests=document.is_test)
    return totals
