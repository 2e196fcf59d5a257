"""A step over shards, on several processors: one shard at a time, so that the result is the same on any number."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from data.document import CorpusDocument, Kept, SourceFile, Verdict
from data.shards import ShardFile, read_shard
from data.tally import Tally

Argument = TypeVar("Argument")
Result = TypeVar("Result")

_worker: Callable[[Any], Any] = print
"""The work of a process of a pool, given to it once, so that it keeps what it has worked out between shards."""


def map_in_processes(
    function: Callable[[Argument], Result], arguments: Sequence[Argument], processes: int
) -> Iterator[Result]:
    """The results in order. `function` and what it returns travel between processes; with one, nothing does."""
    if processes == 1 or len(arguments) < 2:
        yield from map(function, arguments)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(arguments)), context, _begin_work, (function,)) as pool:
        try:
            yield from pool.map(_work, arguments)
        finally:
            pool.shutdown(cancel_futures=True)


def apply_step(
    step: CorpusStep,
    shards: Sequence[Path],
    out: Path,
    processes: int,
    row_type: type[SourceFile] | type[CorpusDocument] = CorpusDocument,
) -> Iterator[Tally]:
    """Each shard through the step into one of the same name in `out`; what it did, a shard at a time."""
    yield from map_in_processes(partial(_apply, step, out, row_type), shards, processes)


def _apply(step: CorpusStep, out: Path, row_type: type[SourceFile] | type[CorpusDocument], shard: Path) -> Tally:
    tally = Tally()
    with ShardFile(out / shard.name, CorpusDocument) as written:
        for row in read_shard(shard, row_type):
            verdict = step(row)
            tally.count(row, verdict)
            if isinstance(verdict, Kept):
                written.write(verdict.document)
    return tally


def _begin_work(function: Callable[[Any], Any]) -> None:
    global _worker
    _worker = function


def _work(argument: Any) -> Any:
    return _worker(argument)


class CorpusStep(Protocol):
    """A step. It travels to other processes, so it holds settings and works out the rest when first asked."""

    name: str

    def __call__(self, row: Any, /) -> Verdict:
        """Return the outcome of a step for a row: a document, or a file for the first step; kept and changed, or
        dropped."""
        ...
