"""Contamination of a corpus by a benchmark: the n-grams of tokens that a task's text and the corpus share.

After Brown et al. 2020 (Language Models are Few-Shot Learners, arXiv:2005.14165, appendix C), who look for 13-grams. A
token here is a word or one other character, in lower case, so that layout does not matter. A text of fewer tokens is
one n-gram.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from coder.errors import InputError
from coder.installation import missing_extra
from coder.syntax.ngrams import ngrams, tokenize
from evals.task import Task

COLUMN = "text"
ROWS = 256
"""Rows of a corpus read at a time."""


@dataclass(frozen=True)
class Overlap:
    """The n-grams that a task shares with a corpus.

    Attributes:
        total: different n-grams of the task, the question and its canonical answer together.
        found: those that stand in the corpus. documents: how many texts of the corpus hold one of them.
    """

    task_id: str
    total: int
    found: int
    documents: int

    @property
    def share(self) -> float:
        return self.found / self.total if self.total else 0.0


def find_overlaps(tasks: Sequence[Task], texts: Iterable[str], length: int = 13) -> list[Overlap]:
    """The overlap of each task with the texts."""
    totals: list[int] = []
    owners: dict[str, list[int]] = defaultdict(list)
    lengths: set[int] = set()
    for index, task in enumerate(tasks):
        tokens = tokenize(task.program(task.canonical))
        size = min(length, len(tokens))
        grams = set(ngrams(tokens, size)) if size else set()
        lengths.add(size)
        totals.append(len(grams))
        for gram in grams:
            owners[gram].append(index)
    found: list[set[str]] = [set() for _ in tasks]
    documents = [0] * len(tasks)
    for text in texts:
        tokens = tokenize(text)
        shared = {gram for size in lengths if size for gram in ngrams(tokens, size) if gram in owners}
        for gram in shared:
            for index in owners[gram]:
                found[index].add(gram)
        for index in {index for gram in shared for index in owners[gram]}:
            documents[index] += 1
    rows = zip(tasks, totals, found, documents, strict=True)
    return [Overlap(task.task_id, total, len(grams), count) for task, total, grams, count in rows]


def read_texts(files: Sequence[Path]) -> Iterator[str]:
    """The column `text` of Parquet files, a few rows in memory at a time. Raises InputError, MissingDependencyError."""
    try:
        from pyarrow import ArrowException, parquet
    except ModuleNotFoundError as error:
        raise missing_extra("corpora are read by pyarrow", "evals") from error
    for file in files:
        try:
            with parquet.ParquetFile(file) as corpus:
                if COLUMN not in corpus.schema_arrow.names:
                    raise InputError(f"{file} has no column {COLUMN!r}; it has {', '.join(corpus.schema_arrow.names)}")
                for batch in corpus.iter_batches(batch_size=ROWS, columns=[COLUMN]):
                    yield from (text for text in batch.column(COLUMN).to_pylist() if isinstance(text, str))
        except (OSError, ArrowException) as error:
            raise InputError(f"cannot read {file}: {error}") from error


def write_overlaps(found: dict[str, list[Overlap]], length: int, file: Path) -> None:
    """One JSON object: for each benchmark its tasks that share anything, and how many there are in all."""
    content = {
        name: {
            "ngram": length,
            "tasks": len(overlaps),
            "overlapping": [asdict(overlap) | {"share": overlap.share} for overlap in overlaps if overlap.found],
        }
        for name, overlaps in found.items()
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8", newline="\n")
