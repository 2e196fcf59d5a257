"""From batches of files to a folder of packed rows: a shard a batch, each by whatever process is free."""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from coder.errors import InputError
from coder.model.checkpoint.files import read_json
from coder.model.checkpoint.infilling_tokens import open_tokenizer
from coder.model.checkpoint.opening import WITH_ADAPTER, find_checkpoint
from coder.train.packed_rows import KindCount, PackedDocument, RowsCard, Shard, write_card, write_shard
from data.pack.batches import Batch
from data.pack.edits import EditedText, edit_documents
from data.pack.examples import training_documents
from data.pack.layout import Layout
from data.pack.settings import ExampleKind, PackSettings
from data.pack.text import SourceText
from data.running import map_in_processes


@dataclass(frozen=True)
class PackingJob:
    """A packing job, as every process knows it.

    Attributes:
        model: the folder of the checkpoint that will be trained, of which `config.json` and `tokenizer.json` are read.
    """

    model: Path
    out: Path
    settings: PackSettings
    seed: int = 0

    @staticmethod
    def of(model: str, out: Path, settings: PackSettings, seed: int = 0) -> PackingJob:
        """Return the job for a model's name, as `quickfill` takes it. Raises CheckpointError."""
        return PackingJob(find_checkpoint(model.partition(WITH_ADAPTER)[0]), out, settings, seed)

    @property
    def size(self) -> int:
        """Rows of the model's embedding."""
        return int(read_json(self.model / "config.json")["vocab_size"])

    def layout(self) -> Layout:
        """Raises CheckpointError for a model that was not trained to fill in the middle."""
        return Layout(*open_tokenizer(self.model / "tokenizer.json", self.size), self.size)


@dataclass(frozen=True)
class Packed:
    """One batch, packed. `characters` counts what was read; there is no shard where nothing came of it."""

    shard: Shard | None
    kinds: dict[ExampleKind, KindCount]
    files: int
    characters: int


def pack(batches: Sequence[Batch], job: PackingJob, processes: int = 1) -> Iterator[Packed]:
    """Write the shards, then `rows.json`. Yields what came of each batch, in order.

    The rows depend on the batches, the settings and the seed, not on `processes`. Raises InputError where nothing came
    of all the batches, and OSError where the folder cannot be written.
    """
    job.out.mkdir(parents=True, exist_ok=True)
    done: list[Packed] = []
    for packed in map_in_processes(_Packer(job), list(enumerate(batches)), processes):
        done.append(packed)
        yield packed
    shards = tuple(packed.shard for packed in done if packed.shard is not None)
    if not shards:
        raise InputError(
            "there is no text in these sources that examples can be made of for this model; edits need a vocabulary "
            "with tokens for the files of a repository"
        )
    write_card(job.out, _card(job, shards, [packed.kinds for packed in done]))


def rows_of(
    documents: Sequence[PackedDocument], row_length: int, generator: random.Random
) -> list[list[PackedDocument]]:
    """The documents in rows that they fill well, in random order."""
    bins = best_fit_decreasing([len(document) for document in documents], row_length)
    generator.shuffle(bins)
    for indices in bins:
        generator.shuffle(indices)
    return [[documents[index] for index in indices] for indices in bins]


def best_fit_decreasing(sizes: Sequence[int], capacity: int) -> list[list[int]]:
    """Return few bins of equal size that hold everything, each with the indices of what is in it.

    The longest first, each into the fullest bin that still takes it: never more than 11/9 of the fewest bins and one
    (Johnson et al., 1974, https://doi.org/10.1137/0203025), and for thousands of documents next to none lost. Raises
    ValueError for something larger than a bin.
    """
    bins: list[list[int]] = []
    # What is left in each bin, and which: the fullest first.
    left: list[tuple[int, int]] = []
    for index in sorted(range(len(sizes)), key=lambda index: (-sizes[index], index)):
        size = sizes[index]
        if size > capacity:
            raise ValueError(f"{size} does not fit into {capacity}")
        place = bisect_left(left, (size, -1))
        if place < len(left):
            free, number = left.pop(place)
        else:
            free, number = capacity, len(bins)
            bins.append([])
        bins[number].append(index)
        insort(left, (free - size, number))
    return bins


class _Packer:
    """Packs batches, with what is made once in each process."""

    def __init__(self, job: PackingJob) -> None:
        self._job = job

    def __reduce__(self) -> tuple[type[_Packer], tuple[PackingJob]]:
        return _Packer, (self._job,)

    def __call__(self, numbered: tuple[int, Batch]) -> Packed:
        (number, batch), job, row_length = numbered, self._job, self._job.settings.row_length
        files = batch.read()
        sources = [file for file in files if isinstance(file, SourceText)]
        edited = [file for file in files if isinstance(file, EditedText)]
        made = [
            *training_documents(sources, self._layout, job.settings, job.seed),
            *edit_documents(edited, self._layout, job.settings, job.seed),
        ]
        tokens: Counter[ExampleKind] = Counter()
        for kind, document in made:
            tokens[kind] += len(document)
        kinds = {kind: KindCount(count, tokens[kind]) for kind, count in Counter(kind for kind, _ in made).items()}
        shard = None
        if made:
            rows = rows_of([document for _, document in made], row_length, random.Random(f"{job.seed} {number}"))
            shard = write_shard(job.out, f"{number:05}", rows, row_length, job.size)
        return Packed(shard, kinds, len(files), sum(len(file.text) for file in files))

    @cached_property
    def _layout(self) -> Layout:
        return self._job.layout()


def _card(job: PackingJob, shards: tuple[Shard, ...], counts: Sequence[dict[ExampleKind, KindCount]]) -> RowsCard:
    kinds: dict[str, KindCount] = {}
    for name in ExampleKind:
        found = [count[name] for count in counts if name in count]
        if found or name in job.settings.kinds:
            kinds[name] = KindCount(sum(one.documents for one in found), sum(one.tokens for one in found))
    digest = job.layout().tokenizer.digest
    return RowsCard(job.settings.row_length, digest, job.size, job.seed, kinds, shards)
