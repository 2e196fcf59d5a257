"""Sources of files: the shards of a corpus, a plain folder, or a list of releases; a few megabytes at a time.

A batch is a promise: what is to be read, not what was. So a process reads its own, and what is in a batch does not
depend on how many processes there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from coder.context.files import source_files
from coder.errors import InputError
from coder.installation import missing_extra
from coder.syntax.languages import language_of
from data.document import TRAIN
from data.pack.edits import EditedText
from data.pack.text import SourceText

FOLDER_BYTES = 1 << 20
"""Of a plain folder, in a batch. In a corpus a row group is one."""

RELEASES = ".txt"
"""Of a list of releases."""

COLUMNS = ("text", "language", "path", "package", "version")


class Batch(Protocol):
    """Files that are turned into examples together, of one text each or of an old and a new one."""

    def read(self) -> Sequence[SourceText] | Sequence[EditedText]: ...


@dataclass(frozen=True)
class RowGroup:
    """One row group of a Parquet shard: the documents of one split."""

    file: Path
    number: int
    split: str

    def read(self) -> list[SourceText]:
        from pyarrow import parquet

        with parquet.ParquetFile(self.file) as shard:
            has_splits = "split" in shard.schema_arrow.names
            rows = shard.read_row_group(self.number, [*COLUMNS, *(["split"] if has_splits else [])]).to_pylist()
        return [
            SourceText(**{name: row[name] for name in COLUMNS})
            for row in rows
            if row.get("split") in (None, self.split)
        ]


@dataclass(frozen=True)
class FolderPart:
    """Some files of a folder, which counts as one package."""

    folder: Path
    files: tuple[Path, ...]

    def read(self) -> list[SourceText]:
        return [source for file in self.files if (source := self._source(file)) is not None]

    def _source(self, file: Path) -> SourceText | None:
        language = language_of(file.name)
        try:
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            return None
        path = file.relative_to(self.folder).as_posix()
        return SourceText(text, language.name, path, self.folder.name) if language else None


def batches(sources: Sequence[Path], split: str = TRAIN) -> Iterator[Batch]:
    """Yield the batches of shards, folders of shards, lists of releases (`.txt`) and folders of source files, in order.

    Raises InputError for what is neither, and for a damaged shard.
    """
    for source in sources:
        if source.suffix == RELEASES and source.is_file():
            yield from _releases(source)
        elif source.is_file():
            yield from _row_groups(source, split)
        elif source.is_dir():
            # A corpus has shards for each split, and says in each row which it is.
            shards = sorted(source.glob(f"{split}-*.parquet")) or sorted(source.glob("*.parquet"))
            for shard in shards:
                yield from _row_groups(shard, split)
            if not shards:
                yield from _parts(source.resolve())
        else:
            raise InputError(f"there is no file or folder {source}")


def _releases(file: Path) -> Iterator[Batch]:
    try:
        from data.pack.releases import release_batches
    except ImportError as error:
        raise missing_extra(f"reading releases needs {error.name}", "data") from error
    yield from release_batches(file)


def _row_groups(file: Path, split: str) -> Iterator[RowGroup]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise missing_extra("reading a corpus needs pyarrow", "data") from error
    try:
        with parquet.ParquetFile(file) as shard:
            missing = [name for name in COLUMNS if name not in shard.schema_arrow.names]
            count = shard.num_row_groups
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"{file} is no Parquet shard of a corpus that can be read: {error}") from error
    if missing:
        raise InputError(f"{file} has no column {', '.join(missing)}; it is no shard of a corpus")
    yield from (RowGroup(file, number, split) for number in range(count))


def _parts(folder: Path) -> Iterator[FolderPart]:
    files: list[Path] = []
    size, found_any = 0, False
    for file in source_files(folder):
        files.append(file)
        size, found_any = size + file.stat().st_size, True
        if size >= FOLDER_BYTES:
            yield FolderPart(folder, tuple(files))
            files, size = [], 0
    if files:
        yield FolderPart(folder, tuple(files))
    if not found_any:
        raise InputError(
            f"{folder} holds no source files that may be read; ignore files count, those of a repository around it too"
        )
