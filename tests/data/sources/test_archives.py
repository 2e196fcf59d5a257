"""Wheels and source distributions: what is read from honest ones, and that hostile ones do no harm."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from coder.errors import InputError
from data.document import Skipped, SourceFile
from data.sources import archive as archives
from data.sources.archive import MOST_AT_ONCE, Archive, name_and_version, safe_path
from data.sources.source import DAMAGED, LARGEST_FILE, TOO_LARGE, UNSAFE_NAME, Found, Wanted
from tests.data.trees import MIT, write_sdist, write_wheel

PYTHON = Wanted(frozenset(("python",)))


def read(file: Path) -> list[Found]:
    return list(Archive(file, PYTHON).files())


def reasons(found: list[Found]) -> list[str]:
    return [one.reason for one in found if isinstance(one, Skipped)]


def test_a_wheel_is_read_with_its_name_version_and_licence(tmp_path: Path):
    file = write_wheel(tmp_path, "Some.Package", "1.2", {"some/a.py": "x = 1\n", "some/data.bin": b"\0"})
    assert read(file) == [SourceFile("some/a.py", b"x = 1\n", "some-package", "1.2", "MIT")]


@pytest.mark.parametrize(
    ("metadata", "license"),
    [
        ("License-Expression: MIT OR Apache-2.0", "MIT OR Apache-2.0"),
        ("License: Apache 2.0", "Apache-2.0"),
        ("License: see LICENSE\nClassifier: License :: OSI Approved :: BSD License", "LicenseRef-BSD"),
        ("Classifier: License :: OSI Approved :: MIT License\nClassifier: License :: Something Else",
         "MIT AND LicenseRef-Something-Else"),
        ("Summary: nothing said", ""),
    ],
)  # fmt: skip
def test_a_wheel_s_licence_is_what_its_metadata_says(tmp_path: Path, metadata: str, license: str):
    (found,) = read(write_wheel(tmp_path, "a", "1", {"a.py": "x = 1\n"}, metadata))
    assert isinstance(found, SourceFile)
    assert found.license == license


def test_a_wheel_s_licence_text_tells_which_bsd_it_is(tmp_path: Path):
    text = "Redistribution and use in source and binary forms ... nor the names ... to endorse or promote products"
    files = {"a.py": "x = 1\n", "a-1.dist-info/licenses/LICENSE": text}
    (found,) = read(write_wheel(tmp_path, "a", "1", files, "License: BSD"))
    assert isinstance(found, SourceFile)
    assert found.license == "BSD-3-Clause"


def test_a_source_distribution_is_read_without_its_outer_folder(tmp_path: Path):
    file = write_sdist(tmp_path, "some-package", "1.2", {"LICENSE": MIT, "src/some/a.py": "x = 1\n"})
    assert read(file) == [SourceFile("src/some/a.py", b"x = 1\n", "some-package", "1.2", "MIT")]


@pytest.mark.parametrize(
    "name", ["../a.py", "/etc/a.py", "b/../../a.py", "C:/a.py", "..\\a.py", "a\0.py", "a\n.py", "x" * 2000 + ".py", ""]
)
def test_names_that_lead_elsewhere_are_recognised(name: str):
    assert safe_path(name) is None


@pytest.mark.parametrize("name", ["../../a.py", "/a.py", "b/../../a.py", "C:\\a.py"])
def test_members_with_unsafe_names_are_counted_and_the_others_read(tmp_path: Path, name: str):
    file = tmp_path / "a-1-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, "x = 1\n")
        archive.writestr("good.py", "x = 2\n")
    found = read(file)
    assert reasons(found) == [UNSAFE_NAME]
    assert [one.path for one in found if isinstance(one, SourceFile)] == ["good.py"]


def test_links_in_archives_are_nothing(tmp_path: Path):
    file = tmp_path / "a-1.tar.gz"
    with tarfile.open(file, "w:gz") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            member = tarfile.TarInfo("a-1/link.py")
            member.type, member.linkname = kind, "../../../etc/passwd"
            archive.addfile(member)
    assert read(file) == []
    wheel = tmp_path / "a-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        info = zipfile.ZipInfo("link.py")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    assert read(wheel) == []


def test_a_member_that_grows_is_read_no_further_than_a_file_may_be(tmp_path: Path):
    file = tmp_path / "a-1-py3-none-any.whl"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.py", b"#" * 50 * LARGEST_FILE)
        archive.writestr("good.py", "x = 1\n")
    assert file.stat().st_size < LARGEST_FILE
    assert reasons(read(file)) == [TOO_LARGE]


def test_an_archive_that_grows_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archives, "LARGEST_ARCHIVE", 100_000)
    files = {f"m{number}.py": b"#" * 30_000 for number in range(10)}
    for file in (write_wheel(tmp_path, "a", "1", files), write_sdist(tmp_path, "a", "1", files)):
        found = read(file)
        assert reasons(found) == [TOO_LARGE]
        assert sum(isinstance(one, SourceFile) for one in found) < 4


def test_an_archive_with_countless_members_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archives, "MOST_MEMBERS", 5)
    assert TOO_LARGE in reasons(read(write_wheel(tmp_path, "a", "1", {f"m{n}.py": "" for n in range(9)})))


def test_a_header_that_claims_to_be_huge_is_not_read_into_memory(tmp_path: Path):
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 50 * MOST_AT_ONCE
    file = tmp_path / "a-1.tar.gz"
    with gzip.open(file, "wb") as compressed:
        compressed.write(header.tobuf())
        for _ in range(50):
            compressed.write(bytes(MOST_AT_ONCE))
    assert reasons(read(file)) == [TOO_LARGE]


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04" + b"\0" * 100, b"\x1f\x8b" + b"\0" * 20])
@pytest.mark.parametrize("name", ["a-1-py3-none-any.whl", "a-1.tar.gz", "a-1.zip"])
def test_a_damaged_archive_is_counted(tmp_path: Path, name: str, content: bytes):
    (tmp_path / name).write_bytes(content)
    assert reasons(read(tmp_path / name)) == [DAMAGED]


def test_an_archive_that_was_cut_off_is_counted(tmp_path: Path):
    file = write_sdist(tmp_path, "a", "1", {f"m{number}.py": MIT * (number + 1) for number in range(20)})
    file.write_bytes(file.read_bytes()[:-200])
    assert DAMAGED in reasons(read(file))


def test_a_member_that_was_changed_is_counted_and_the_others_read(tmp_path: Path):
    file = tmp_path / "a-1-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.py", "first = 1\n")
        archive.writestr("b.py", "second = 2\n")
    file.write_bytes(file.read_bytes().replace(b"first = 1", b"third = 3"))
    found = read(file)
    assert reasons(found) == [DAMAGED]
    assert [one.path for one in found if isinstance(one, SourceFile)] == ["b.py"]


def test_an_encrypted_member_is_counted(tmp_path: Path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.py", "x = 1\n")
    content = bytearray(buffer.getvalue())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a-1-py3-none-any.whl").write_bytes(content)
    assert reasons(read(tmp_path / "a-1-py3-none-any.whl")) == [DAMAGED]


def test_nothing_is_written_beside_an_archive(tmp_path: Path):
    file = write_sdist(tmp_path, "a", "1", {"a.py": "x = 1\n"})
    read(file)
    assert list(tmp_path.iterdir()) == [file]


def test_what_is_no_archive_is_an_error(tmp_path: Path):
    with pytest.raises(InputError, match="no wheel"):
        read(tmp_path / "missing-1.whl")
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(InputError, match="no wheel"):
        read(tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("Some_Package-1.0-py3-none-any.whl", ("some-package", "1.0")),
        ("some.package-1.0rc1.tar.gz", ("some-package", "1.0rc1")),
        ("nonsense.tar.gz", ("nonsense.tar.gz", "")),
    ],
)
def test_names_and_versions_are_taken_from_the_file_s_name(file: str, expected: tuple[str, str]):
    assert name_and_version(file) == expected
