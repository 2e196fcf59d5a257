"""Parquet shards: rows come back as they were, files are whole or not there."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coder.errors import InputError
from data.document import CorpusDocument, SourceFile
from data.shards import ShardFile, ShardWriter, read_shard, shards_in
from tests.data.trees import code, document


def test_rows_come_back_as_they_were(tmp_path: Path):
    rows = [document(code(f"work{number}"), split="train", is_test=number % 2 == 0) for number in range(200)]
    with ShardFile(tmp_path / "a.parquet", CorpusDocument) as shard:
        for row in rows:
            shard.write(row)
    assert list(read_shard(tmp_path / "a.parquet", CorpusDocument)) == rows


def test_raw_files_keep_their_bytes(tmp_path: Path):
    row = SourceFile("a.py", bytes(range(256)), "package", "1", "MIT")
    with ShardFile(tmp_path / "a.parquet", SourceFile) as shard:
        shard.write(row)
    assert list(read_shard(tmp_path / "a.parquet", SourceFile)) == [row]


def test_an_error_leaves_no_shard_behind(tmp_path: Path):
    with pytest.raises(RuntimeError), ShardFile(tmp_path / "a.parquet", CorpusDocument) as shard:
        shard.write(document("x = 1\n"))
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_shard_ends_when_it_is_large_enough(tmp_path: Path):
    writer = ShardWriter(tmp_path, "train", CorpusDocument, 1000)
    for _ in range(9):
        writer.write(document("x" * 400))
    writer.close()
    assert [file.name for file in shards_in(tmp_path)] == [f"train-0000{number}.parquet" for number in range(3)]


def test_what_is_no_shard_is_an_error(tmp_path: Path):
    with pytest.raises(InputError, match="no Parquet"):
        shards_in(tmp_path)
    (tmp_path / "a.parquet").write_bytes(b"words")
    with pytest.raises(InputError, match="cannot read"):
        list(read_shard(tmp_path / "a.parquet", CorpusDocument))
    pq.write_table(pa.table({"text": ["x"]}), tmp_path / "b.parquet")
    with pytest.raises(InputError, match="no column language"):
        list(read_shard(tmp_path / "b.parquet", CorpusDocument))
