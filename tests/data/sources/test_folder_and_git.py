"""Folders and repositories: which files are theirs, and what they say about themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from coder.errors import InputError
from data.document import Skipped, SourceFile
from data.sources.folder import Folder
from data.sources.git import GitRepository
from data.sources.source import LARGEST_FILE, TOO_LARGE, CorpusSource, Found, Wanted
from tests.data.trees import MIT, commit, git, write_files, write_repository

PYTHON = Wanted(frozenset(("python",)))
PYPROJECT = '[project]\nname = "Some.Package"\nversion = "2.1"\nlicense = "Apache-2.0"\n'


def paths(source: CorpusSource) -> list[str]:
    return [found.path for found in source.files()]


def first(source: CorpusSource) -> SourceFile:
    found: Found = next(iter(source.files()))
    assert isinstance(found, SourceFile)
    return found


def test_a_folder_s_files_come_in_order_and_nothing_else_does(tmp_path: Path):
    names = ("b.py", "a.py", "z/c.py", "a/d.pyi", "a/readme.md", ".hidden/e.py", "node_modules/f.py", "env/pyvenv.cfg")
    write_files(tmp_path, dict.fromkeys((*names, "env/lib/g.py", "mine/pyvenv.cfg", "mine/h.py"), "x = 1\n"))
    assert paths(Folder(tmp_path, PYTHON)) == ["a.py", "b.py", "a/d.pyi", "z/c.py"]


def test_links_are_not_followed(tmp_path: Path):
    outside = write_files(tmp_path / "outside", {"secret.py": "x = 1\n"})
    inside = write_files(tmp_path / "inside", {"a.py": "x = 1\n"})
    try:
        (inside / "link.py").symlink_to(outside / "secret.py")
        (inside / "folder").symlink_to(outside)
    except OSError:
        pytest.skip("this system makes no links")
    assert paths(Folder(inside, PYTHON)) == ["a.py"]


def test_a_folder_tells_its_name_and_its_licence(tmp_path: Path):
    write_files(tmp_path / "mine", {"pyproject.toml": PYPROJECT, "a.py": "x = 1\n"})
    assert first(Folder(tmp_path / "mine", PYTHON)) == SourceFile(
        "a.py", b"x = 1\n", "some-package", "2.1", "Apache-2.0"
    )


def test_what_the_settings_say_counts_before_what_a_folder_says(tmp_path: Path):
    write_files(tmp_path, {"pyproject.toml": PYPROJECT, "a.py": "x = 1\n"})
    found = first(Folder(tmp_path, PYTHON, package="other", license="ISC"))
    assert (found.package, found.license) == ("other", "ISC")


def test_a_licence_s_text_tells_where_the_metadata_does_not(tmp_path: Path):
    write_files(tmp_path / "Mine_Too", {"LICENSE.txt": MIT, "a.py": "x = 1\n"})
    found = first(Folder(tmp_path / "Mine_Too", PYTHON))
    assert (found.package, found.license) == ("mine-too", "MIT")


def test_a_broken_pyproject_is_no_reason_to_stop(tmp_path: Path):
    write_files(tmp_path / "mine", {"pyproject.toml": "[project\n", "a.py": "x = 1\n"})
    assert first(Folder(tmp_path / "mine", PYTHON)).license == ""


def test_files_that_nobody_wrote_by_hand_are_counted_not_read(tmp_path: Path):
    write_files(tmp_path, {"a.py": b"#" * (LARGEST_FILE + 1)})
    (found,) = Folder(tmp_path, PYTHON).files()
    assert isinstance(found, Skipped)
    assert found.reason == TOO_LARGE


def test_a_missing_folder_is_an_error(tmp_path: Path):
    with pytest.raises(InputError, match="not a folder"):
        list(Folder(tmp_path / "none", PYTHON).files())


def test_a_repository_s_tracked_files_are_read_as_they_were_committed(tmp_path: Path):
    repository = write_repository(tmp_path / "project", {"LICENSE": MIT, "a.py": "x = 1\n", "pkg/ü b.py": "y = 2\n"})
    write_files(repository, {"a.py": "changed\n", "untracked.py": "z = 3\n"})
    found = list(GitRepository(repository, PYTHON).files())
    head = git(repository, "rev-parse", "HEAD")
    assert found == [
        SourceFile("a.py", b"x = 1\n", "project", head, "MIT"),
        SourceFile("pkg/ü b.py", b"y = 2\n", "project", head, "MIT"),
    ]


def test_another_revision_has_other_files(tmp_path: Path):
    repository = write_repository(tmp_path / "project", {"a.py": "x = 1\n"})
    git(repository, "tag", "first")
    write_files(repository, {"b.py": "y = 2\n"})
    second = commit(repository)
    assert paths(GitRepository(repository, PYTHON, "first")) == ["a.py"]
    assert paths(GitRepository(repository, PYTHON, second[:10])) == ["a.py", "b.py"]


def test_a_bare_repository_is_one_too(tmp_path: Path):
    write_repository(tmp_path / "project", {"a.py": "x = 1\n"})
    git(tmp_path, "clone", "--quiet", "--bare", "project", "copy.git")
    assert first(GitRepository(tmp_path / "copy.git", PYTHON)).package == "copy"


@pytest.mark.parametrize("revision", ["nowhere", "--output=stolen", "HEAD:a.py"])
def test_what_names_no_commit_is_an_error(tmp_path: Path, revision: str):
    repository = write_repository(tmp_path / "project", {"a.py": "x = 1\n"})
    with pytest.raises(InputError, match="git cannot read"):
        list(GitRepository(repository, PYTHON, revision).files())
    assert not (repository / "stolen").exists()


def test_a_folder_without_a_repository_is_an_error(tmp_path: Path):
    with pytest.raises(InputError, match="git cannot read"):
        list(GitRepository(tmp_path, PYTHON).files())
