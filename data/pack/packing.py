"""From batches of files to a folder of packed rows: a shard a batch, each by whatever process is free."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from coder.errors import InputError
from coder.model.config import ModelConfig
from coder.model.tokens import Tokenizer
from coder.train.packed_rows import Document, KindCount, RowsCard, Shard, write_card, write_shard
from data.pack.batches import Batch
from data.pack.bins import best_fit_decreasing
from data.pack.examples import training_documents
from data.pack.layout import Layout
from data.pack.settings import Kind, PackSettings


@dataclass(frozen=True)
class Job:
    """What every process needs to know. `config` and `tokenizer_file` are of the checkpoint that will be trained."""

    config: ModelConfig
    tokenizer_file: Path
    out: Path
    settings: PackSettings
    seed: int = 0


@dataclass(frozen=True)
class Packed:
    """One batch, packed. `characters` counts what was read; there is no shard where nothing came of it."""

    shard: Shard | None
    kinds: dict[Kind, KindCount]
    files: int
    characters: int


def pack(batches: Sequence[Batch], job: Job, processes: int = 1) -> Iterator[Packed]:
    """Write the shards, then `rows.json`. Yields what came of each batch, in order.

    The rows depend on the batches, the settings and the seed, not on `processes`. Raises InputError where nothing came
    of all the batches, and OSError where the folder cannot be written.
    """
    job.out.mkdir(parents=True, exist_ok=True)
    done: list[Packed] = []
    for packed in _in_order(list(enumerate(batches)), job, processes):
        done.append(packed)
        yield packed
    shards = tuple(packed.shard for packed in done if packed.shard is not None)
    if not shards:
        raise InputError("there is no text in these sources that examples can be made of")
    write_card(job.out, _card(job, shards, [packed.kinds for packed in done]))


def rows_of(documents: Sequence[Document], row_length: int, generator: random.Random) -> list[list[Document]]:
    """The documents in rows that they fill well, in random order."""
    bins = best_fit_decreasing([len(document) for document in documents], row_length)
    generator.shuffle(bins)
    for indices in bins:
        generator.shuffle(indices)
    return [[documents[index] for index in indices] for indices in bins]


def _in_order(numbered: list[tuple[int, Batch]], job: Job, processes: int) -> Iterator[Packed]:
    if processes == 1 or len(numbered) < 2:
        worker = _Worker(job)
        yield from (worker.pack(number, batch) for number, batch in numbered)
        return
    # Spawned, since a fork of a process with threads may hang, and since that is what every system can do.
    workers = min(processes, len(numbered))
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start, initargs=(job,)) as pool:
        try:
            yield from pool.map(_pack, numbered)
        finally:
            pool.shutdown(cancel_futures=True)


class _Worker:
    """Packs batches with what is made once for all of them."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._layout = Layout(job.config, Tokenizer(job.tokenizer_file))

    def pack(self, number: int, batch: Batch) -> Packed:
        job = self._job
        files = batch.read()
        made = list(training_documents(files, self._layout, job.settings, job.seed))
        counts = Counter(kind for kind, _ in made)
        tokens: Counter[Kind] = Counter()
        for kind, document in made:
            tokens[kind] += len(document)
        kinds = {kind: KindCount(count, tokens[kind]) for kind, count in counts.items()}
        shard = None
        if made:
            generator = random.Random(f"{job.seed} {number}")
            rows = rows_of([document for _, document in made], job.settings.row_length, generator)
            shard = write_shard(job.out, f"{number:05}", rows, job.settings.row_length, self._layout.vocabulary_size)
        return Packed(shard, kinds, len(files), sum(len(file.text) for file in files))


_workers: list[_Worker] = []
"""The one of this process, where it is a process of a pool."""


def _start(job: Job) -> None:
    _workers.append(_Worker(job))


def _pack(numbered: tuple[int, Batch]) -> Packed:
    return _workers[0].pack(*numbered)


def _card(job: Job, shards: tuple[Shard, ...], counts: Iterable[dict[Kind, KindCount]]) -> RowsCard:
    kinds: dict[str, KindCount] = {}
    for name in job.settings.kinds:
        found = [count[name] for count in counts if name in count]
        kinds[name] = KindCount(sum(one.documents for one in found), sum(one.tokens for one in found))
    tokenizer = Tokenizer(job.tokenizer_file)
    return RowsCard(job.settings.row_length, tokenizer.digest, job.config.vocab_size, job.seed, kinds, shards)
