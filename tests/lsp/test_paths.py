"""One file has one path, however an editor writes its URI."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

import pytest

from lsp.documents import path_in_folder, path_named


@pytest.mark.parametrize("uri", ["file:///c%3A/proj/a%20b.py", "file:///C:/proj/a%20b.py", "file:///c:/PROJ/a b.py"])
def test_a_drive_is_the_same_however_it_is_written(uri: str):
    assert path_named(uri) == PureWindowsPath("C:\\proj\\a b.py")


def test_elsewhere_case_counts():
    assert path_named("file:///W/a.py") == PurePosixPath("/W/a.py") != path_named("file:///w/a.py")


@pytest.mark.parametrize(
    ("uri", "folders", "seen"),
    [
        ("file:///c%3A/proj/private/a.py", ["file:///C:/", "file:///C:/proj"], "private/a.py"),
        ("file://host/share/proj/a.py", ["file://HOST/share/proj"], "a.py"),
        ("file:///w/proj/a.py", ["file:///w", "file:///c%3A/w"], "proj/a.py"),
        ("file:///d%3A/a.py", ["file:///C:/"], "d:/a.py"),
        ("untitled:Untitled-1", ["file:///w"], "Untitled-1"),
    ],
)
def test_a_path_is_seen_from_the_innermost_folder(uri: str, folders: list[str], seen: str):
    assert path_in_folder(uri, folders).as_posix() == seen
