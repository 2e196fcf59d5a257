"""What is remembered between runs: right after every change of a file, and never needed."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from coder.model import remembered
from coder.model.remembered import recalled, remember, sha256_of_contents

pytestmark = pytest.mark.usefixtures("own_cache_folder")

LONG_AGO = time.time() - 1000


def aged(file: Path, content: bytes, seconds: float = 0.0) -> Path:
    file.write_bytes(content)
    os.utime(file, (LONG_AGO + seconds, LONG_AGO + seconds))
    return file


def test_what_is_remembered_is_recalled():
    assert recalled("facts") == {}
    remember("facts", {"a": [1, 2.5]})
    assert recalled("facts") == {"a": [1, 2.5]}


def test_a_digest_is_made_once_for_a_file_that_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = aged(tmp_path / "a", b"one")
    expected = hashlib.sha256(b"one").hexdigest()
    assert sha256_of_contents(file) == expected
    monkeypatch.setattr(remembered, "sha256_of_file", lambda _: pytest.fail("read again"))
    assert sha256_of_contents(file) == expected


@pytest.mark.parametrize("content, seconds", [(b"other", 0.0), (b"two", 1.0)], ids=["size", "time"])
def test_a_changed_file_has_another_digest(tmp_path: Path, content: bytes, seconds: float):
    file = aged(tmp_path / "a", b"one")
    sha256_of_contents(file)
    assert sha256_of_contents(aged(file, content, seconds)) == hashlib.sha256(content).hexdigest()


def test_a_file_that_was_just_written_is_read_again(tmp_path: Path):
    file = tmp_path / "a"
    file.write_bytes(b"one")
    now = file.stat().st_mtime_ns
    sha256_of_contents(file)
    file.write_bytes(b"two")
    os.utime(file, ns=(now, now))
    assert sha256_of_contents(file) == hashlib.sha256(b"two").hexdigest()


def test_a_folder_that_cannot_be_written_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "blocked").write_text("a file where the folder would be")
    monkeypatch.setattr(remembered.platformdirs, "user_cache_dir", lambda name: str(tmp_path / "blocked"))
    file = aged(tmp_path / "a", b"one")
    assert sha256_of_contents(file) == hashlib.sha256(b"one").hexdigest()
    assert recalled("digests") == {}


@pytest.mark.parametrize("content", ["", "[]", "{", '{"x": 1}'])
def test_a_broken_file_is_as_none(own_cache_folder: Path, tmp_path: Path, content: str):
    remember("digests", {})
    (own_cache_folder / "quickfill" / "digests.json").write_text(content)
    assert sha256_of_contents(aged(tmp_path / "a", b"one")) == hashlib.sha256(b"one").hexdigest()
