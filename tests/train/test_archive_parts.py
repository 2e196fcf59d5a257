"""Folders that travel in parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from coder.errors import InputError
from coder.train.archive_parts import LIST, cut, join


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "noise.bin").write_bytes(np.random.default_rng(0).bytes(5000))
    (folder / "empty.txt").write_bytes(b"")
    (folder / "zeros.bin").write_bytes(bytes(100_000))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("size", [100, 1024, 10**6])
def test_what_is_joined_is_what_was_cut(folder: Path, tmp_path: Path, size: int):
    parts = cut(folder, tmp_path / "parts", size)
    assert all(part.stat().st_size <= size for part in parts)
    assert {path.name for path in (tmp_path / "parts").iterdir()} == {LIST, *(part.name for part in parts)}
    join(tmp_path / "parts", tmp_path / "joined")
    assert contents(tmp_path / "joined") == contents(folder)


def test_it_is_compressed(folder: Path, tmp_path: Path):
    assert sum(part.stat().st_size for part in cut(folder, tmp_path / "parts", 1024)) < 8000


def test_a_damaged_part_is_named(folder: Path, tmp_path: Path):
    parts = cut(folder, tmp_path / "parts", 1024)
    parts[1].write_bytes(parts[1].read_bytes()[:-1] + b"\x00\x01")
    with pytest.raises(InputError, match="part-001 is damaged"):
        join(tmp_path / "parts", tmp_path / "joined")


def test_a_missing_part_is_named(folder: Path, tmp_path: Path):
    parts = cut(folder, tmp_path / "parts", 1024)
    parts[2].unlink()
    with pytest.raises(InputError, match="part-002 cannot be read"):
        join(tmp_path / "parts", tmp_path / "joined")
    assert not (tmp_path / "joined").exists()
