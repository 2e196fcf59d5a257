"""Releases of packages: fetched once, compared file by file."""

from __future__ import annotations

from pathlib import Path

import pytest

from coder.errors import InputError
from data.sources.releases import ReleasePair, changed_files, read_pairs, release
from tests.data.trees import write_wheel


def test_a_pair_is_named_by_package_and_two_releases():
    assert ReleasePair.parse("click:8.0.4:8.1.0") == ReleasePair("click", "8.0.4", "8.1.0")
    with pytest.raises(InputError, match="NAME:OLD:NEW"):
        ReleasePair.parse("click:8.0.4")


def test_a_list_names_releases_one_after_the_other(tmp_path: Path):
    file = tmp_path / "releases.txt"
    file.write_text("# some\nclick 8.0 8.1 8.2  # three\n\nflask 1.0 1.1\n", encoding="utf-8")
    assert read_pairs(file) == [
        ReleasePair("click", "8.0", "8.1"),
        ReleasePair("click", "8.1", "8.2"),
        ReleasePair("flask", "1.0", "1.1"),
    ]


@pytest.mark.parametrize("line", ["click", "click 8.0", "click eight nine"])
def test_a_line_without_two_releases_is_refused(tmp_path: Path, line: str):
    (tmp_path / "releases.txt").write_text(line, encoding="utf-8")
    with pytest.raises(InputError, match="two releases"):
        read_pairs(tmp_path / "releases.txt")
    with pytest.raises(InputError, match="cannot read"):
        read_pairs(tmp_path / "nothing.txt")


def test_files_that_differ_are_found_in_the_cache(tmp_path: Path):
    same = {"package/same.py": "x = 1\n", "package/a.txt": "a"}
    write_wheel(tmp_path, "package", "1.0", {**same, "package/a.py": "a = 1\n", "package/old.py": "b = 1\n"})
    write_wheel(tmp_path, "package", "2", {**same, "package/a.py": "a = 2\n", "package/new.py": "b = 1\n"})
    (file,) = changed_files(ReleasePair("Package", "1", "2.0"), tmp_path)
    assert (file.old.path, file.old.content, file.new.content) == ("package/a.py", b"a = 1\n", b"a = 2\n")
    assert (file.new.version, file.new.license) == ("2", "MIT")


def test_a_release_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_wheel(tmp_path / "wheels", "package", "1", {"package/a.py": "a = 1\n"})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    first = release("package", "1", tmp_path / "cache")
    assert [file.content for file in first.values()] == [b"a = 1\n"]
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert release("package", "1", tmp_path / "cache") == first
    with pytest.raises(InputError, match="could not download"):
        release("package", "2", tmp_path / "cache")
