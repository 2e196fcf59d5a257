"""Duplicates out of shards: look at all documents, decide, write those that stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from data.document import CorpusDocument, Dropped, Kept
from data.running import map_in_processes
from data.shards import ShardFile, read_shard
from data.steps.duplicates import DuplicateIndex, Entry, layout_free_hash, signature
from data.tally import Tally


def deduplicate(
    shards: Sequence[Path], out: Path, threshold: float, preferred: frozenset[str], processes: int
) -> Iterator[Tally]:
    """Each shard without what another document says already; what was dropped, a shard at a time.

    Args:
        preferred: packages whose copy stays where another has the same, so that what is held out is not trained on.
    """
    out.mkdir(parents=True, exist_ok=True)
    file = out / "index.sqlite"
    index = DuplicateIndex(file, threshold)
    try:
        entries = map_in_processes(partial(_entries, preferred), list(enumerate(shards)), processes)
        for of_shard in entries:
            index.add(of_shard)
        index.decide()
        for number, shard in enumerate(shards):
            yield _without_duplicates(shard, out, index.verdicts(number))
    finally:
        index.close()
        file.unlink(missing_ok=True)


def _entries(preferred: frozenset[str], numbered: tuple[int, Path]) -> list[Entry]:
    number, shard = numbered
    return [
        Entry(
            number,
            place,
            0 if document.package in preferred else 1,
            document.package,
            document.version,
            document.path,
            document.sha256,
            layout_free_hash(document.text),
            signature(document.text),
        )
        for place, document in enumerate(read_shard(shard, CorpusDocument))
    ]


def _without_duplicates(shard: Path, out: Path, reasons: Iterator[str | None]) -> Tally:
    tally = Tally()
    with ShardFile(out / shard.name, CorpusDocument) as written:
        for document, reason in zip(read_shard(shard, CorpusDocument), reasons, strict=True):
            tally.count(document, Kept(document) if reason is None else Dropped(reason))
            if reason is None:
                written.write(document)
    return tally
