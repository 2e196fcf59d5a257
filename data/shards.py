"""Parquet shards: a row a document, written and read a few rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import pyarrow as pa
from pyarrow import parquet

from coder.errors import InputError
from data.document import Row

COLUMN_TYPES = {"str": pa.string(), "bytes": pa.binary(), "bool": pa.bool_()}

ROWS = 64
"""Rows in memory at a time."""

ROW_GROUP_BYTES = 4 * 1024 * 1024
COMPRESSION = "zstd"

AnyRow = TypeVar("AnyRow", bound=Row)


def schema_of(row_type: type[Row]) -> pa.Schema:
    return pa.schema(
        [pa.field(field.name, COLUMN_TYPES[str(field.type)], nullable=False) for field in fields(row_type)]
    )


def shards_in(folder: Path) -> list[Path]:
    """The shards of a folder, in order. Raises InputError where there are none."""
    shards = sorted(folder.glob("*.parquet"))
    if not shards:
        raise InputError(f"{folder} holds no Parquet shards; name the folder that an earlier step wrote")
    return shards


def read_shard(file: Path, row_type: type[AnyRow]) -> Iterator[AnyRow]:
    """The rows of a shard, in order. Raises InputError when it cannot be read or has other columns."""
    names = [field.name for field in fields(row_type)]
    try:
        with parquet.ParquetFile(file) as shard:
            missing = [name for name in names if name not in shard.schema_arrow.names]
            if missing:
                raise InputError(f"{file} has no column {', '.join(missing)}: it is not what the step before writes")
            for batch in shard.iter_batches(batch_size=ROWS, columns=names):
                for row in batch.to_pylist():
                    yield row_type(**row)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"cannot read {file}: {error}") from error


class ShardFile:
    """One Parquet file that is being written. It bears its name only once it is whole."""

    def __init__(self, file: Path, row_type: type[Row]) -> None:
        self._file = file
        self._partial = file.with_suffix(".partial")
        self._schema = schema_of(row_type)
        self._rows: list[Row] = []
        self._pending = 0
        self.written = 0
        file.parent.mkdir(parents=True, exist_ok=True)
        self._writer = parquet.ParquetWriter(self._partial, self._schema, compression=COMPRESSION)

    def write(self, row: Row) -> None:
        self._rows.append(row)
        self._pending += row.size
        self.written += row.size
        if self._pending >= ROW_GROUP_BYTES:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()
        self._partial.replace(self._file)

    def __enter__(self) -> ShardFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self._writer.close()
            self._partial.unlink()

    def _flush(self) -> None:
        if self._rows:
            table = pa.Table.from_pylist([asdict(row) for row in self._rows], schema=self._schema)
            self._writer.write_table(table)
        self._rows, self._pending = [], 0


class ShardWriter:
    """Rows into as many shards of a folder as their sizes ask for: `NAME-00000.parquet`, `NAME-00001.parquet`, ..."""

    def __init__(self, folder: Path, name: str, row_type: type[Row], shard_bytes: int) -> None:
        self._folder, self._name, self._row_type, self._shard_bytes = folder, name, row_type, shard_bytes
        self._shard: ShardFile | None = None
        self._count = 0

    def write(self, row: Row) -> None:
        if self._shard is None:
            self._shard = ShardFile(self._folder / f"{self._name}-{self._count:05}.parquet", self._row_type)
            self._count += 1
        self._shard.write(row)
        if self._shard.written >= self._shard_bytes:
            self.close()

    def close(self) -> None:
        if self._shard is not None:
            self._shard.close()
        self._shard = None
