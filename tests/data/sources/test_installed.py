"""Installed packages, the standard library, and pinned lists that pip brings."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path

import pytest

from coder.errors import InputError
from data.document import SourceFile
from data.sources.installed import Environment, StandardLibrary
from data.sources.pinned import PinnedPackages, read_pins
from data.sources.source import Wanted
from tests.data.trees import write_files, write_wheel

PYTHON = Wanted(frozenset(("python",)))


def install(site: Path, name: str, version: str, files: dict[str, str], record: str = "") -> None:
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nLicense-Expression: ISC\n"
    record = record or "".join(f"{path},,\n" for path in files)
    write_files(site, {**files, f"{info}/METADATA": metadata, f"{info}/RECORD": record})


def test_an_environment_s_packages_are_read_by_their_own_lists(tmp_path: Path):
    install(tmp_path, "b", "1.0", {"b/x.py": "x = 1\n"})
    install(tmp_path, "A_a", "2.0", {"aa/y.py": "y = 2\n"})
    write_files(tmp_path, {"nobodys.py": "z = 3\n"})
    assert list(Environment(PYTHON, (tmp_path,)).files()) == [
        SourceFile("aa/y.py", b"y = 2\n", "a-a", "2.0", "ISC"),
        SourceFile("b/x.py", b"x = 1\n", "b", "1.0", "ISC"),
    ]


def test_packages_are_chosen_by_name(tmp_path: Path):
    for name in ("a", "b", "c"):
        install(tmp_path, name, "1", {f"{name}.py": "x = 1\n"})

    def found(**settings) -> list[str]:
        return [file.package for file in Environment(PYTHON, (tmp_path,), **settings).files()]

    assert found(packages=("B",)) == ["b"]
    assert found(exclude=("b",)) == ["a", "c"]
    with pytest.raises(InputError, match="not installed: d"):
        found(packages=("a", "d"))


def test_what_a_list_names_outside_of_the_environment_is_not_read(tmp_path: Path):
    write_files(tmp_path, {"secret.py": "x = 1\n"})
    site = tmp_path / "site"
    record = f"../secret.py,,\n{(tmp_path / 'secret.py').as_posix()},,\na/b/../../../secret.py,,\na.py,,\n"
    install(site, "a", "1", {"a.py": "x = 2\n"}, record)
    found = list(Environment(PYTHON, (site,)).files())
    assert [file.path for file in found if isinstance(file, SourceFile)] == ["a.py"]


def test_this_interpreter_s_packages_are_there_without_naming_a_folder():
    found = list(Environment(PYTHON, packages=("packaging",)).files())
    assert "packaging/version.py" in {file.path for file in found}
    assert {file.license for file in found if isinstance(file, SourceFile)} == {"Apache-2.0 OR BSD-2-Clause"}


def test_the_standard_library_is_read_without_what_is_installed():
    found = [file for file in StandardLibrary(PYTHON).files() if isinstance(file, SourceFile)]
    assert {"ast.py", "json/decoder.py"} <= {file.path for file in found}
    assert not [file.path for file in found if "site-packages" in file.path]
    assert {(file.package, file.version, file.license) for file in found} == {
        ("python", platform.python_version(), "PSF-2.0")
    }


@pytest.fixture
def pinned(tmp_path: Path) -> PinnedPackages:
    """Two packages pinned, both in a folder that pip is told to look in, and nowhere else."""
    lines = ["# two packages\n"]
    for name in ("b", "a"):
        file = write_wheel(tmp_path / "index", name, "1.0", {f"{name}.py": f"name = '{name}'\n"})
        lines.append(f"{name}==1.0 \\\n    --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n")
    (tmp_path / "packages.txt").write_text("".join(lines))
    return PinnedPackages(tmp_path / "packages.txt", tmp_path / "cache", PYTHON)


@pytest.fixture
def local_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    return tmp_path / "index"


def test_pinned_packages_are_downloaded_once(pinned: PinnedPackages, local_index: Path):
    found = list(pinned.files())
    assert [(file.package, file.path) for file in found] == [("a", "a.py"), ("b", "b.py")]
    for file in local_index.iterdir():
        file.unlink()
    assert list(pinned.files()) == found


def test_a_package_with_another_hash_is_refused(pinned: PinnedPackages, local_index: Path):
    write_wheel(local_index, "a", "1.0", {"a.py": "import os  # not what was pinned\n"})
    with pytest.raises(InputError, match="pip could not download"):
        list(pinned.files())


def test_a_package_in_the_cache_with_another_hash_is_not_used(pinned: PinnedPackages, local_index: Path):
    write_wheel(pinned.cache, "a", "1.0", {"a.py": "import os  # not what was pinned\n"})
    found = [file for file in pinned.files() if isinstance(file, SourceFile)]
    assert [file.content for file in found if file.package == "a"] == [b"name = 'a'\n"]


@pytest.mark.parametrize(
    "line", ["a", "a==1.0", "a>=1.0 --hash=sha256:" + "0" * 64, "-r other.txt", "a==1.0 --hash=md5:0"]
)
def test_what_is_not_pinned_is_an_error(tmp_path: Path, line: str):
    (tmp_path / "packages.txt").write_text(line + "\n")
    with pytest.raises(InputError, match="quickfill data pin"):
        read_pins(tmp_path / "packages.txt")
