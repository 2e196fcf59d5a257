"""Packages of npm and of Debian: pinned, brought once by their own clients, each file with its own licence."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from coder.errors import InputError, MissingDependencyError
from coder.model.checkpoint.files import sha256_of_file
from data.document import SourceFile
from data.sources import debian, npm
from data.sources.debian import DebianPackages
from data.sources.debian_copyright import DebianCopyright, expression_of_short_names
from data.sources.npm import NpmPackages, written_by_people
from data.sources.pin_list import ClientPin, read_client_pins
from data.sources.source import Found, Wanted
from tests.data.trees import write_files

WANTED = Wanted(frozenset(("typescript", "javascript", "go", "cpp")))

COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: leaf

Files: *
Copyright: 2020 Somebody
License: Expat

Files: contrib/* tools/?.go
Copyright: 2020 Somebody else
License: GPL-2+ with OpenSSL exception

License: Expat
 Permission is hereby granted ...
"""


def write_tar(file: Path, top: str, files: Mapping[str, str]) -> Path:
    folder = write_files(file.parent / f"{file.name}.files", files)
    file.parent.mkdir(parents=True, exist_ok=True)
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name in files:
            archive.add(folder / name, f"{top}/{name}" if top else name)
    compress = lzma.compress if file.suffix == ".xz" else gzip.compress
    file.write_bytes(compress(plain.getvalue()))
    return file


def write_npm(file: Path, files: Mapping[str, str], license: str = "MIT") -> Path:
    told = {"package.json": json.dumps({"name": "@some/leaf", "version": "1.2.0", "license": license})}
    return write_tar(file, "package", {**files, **told})


def write_debian(folder: Path, files: Mapping[str, str]) -> Path:
    """A source package's folder; its description."""
    archives = [
        write_tar(folder / "leaf_1.0.orig.tar.gz", "leaf-1.0", files),
        write_tar(folder / "leaf_1.0-1.debian.tar.xz", "", {"debian/copyright": COPYRIGHT, "debian/helper.go": "x"}),
    ]
    rows = [f" {sha256_of_file(file)} {file.stat().st_size} {file.name}\n" for file in archives]
    described = f"Source: leaf\nVersion: 1:1.0-1\nChecksums-Sha256:\n{''.join(rows)}"
    signed = f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{described}\n-----BEGIN PGP SIGNATURE-----\nx\n"
    file = folder / "leaf_1.0-1.dsc"
    file.write_text(signed, encoding="utf-8")
    return file


def listed(folder: Path, line: str) -> Path:
    (folder / "list.txt").write_text(f"# some\n{line}\n", encoding="utf-8")
    return folder / "list.txt"


def by_path(found: list[Found]) -> dict[str, SourceFile]:
    return {file.path: file for file in found if isinstance(file, SourceFile)}


def test_a_list_is_in_the_clients_own_words(tmp_path: Path):
    digest = "0" * 64
    file = listed(tmp_path, f"@some/leaf@1.2.0 sha256:{digest}  # because")
    assert read_client_pins(file, "@") == [ClientPin("@some/leaf", "1.2.0", digest)]
    for line in ("leaf", "leaf@1.0 sha256:12", "--registry=x@1.0", "leaf 1.0"):
        with pytest.raises(InputError, match="NAME@VERSION"):
            read_client_pins(listed(tmp_path, line), "@")


def test_of_a_package_in_typescript_that_alone_is_taken():
    paths = ["src/a.ts", "src/b.tsx", "dist/a.js", "dist/esm/a.mjs", "index.cjs", "tools/c.js", "README.md"]
    assert written_by_people(iter(paths)) == {"src/a.ts", "src/b.tsx", "README.md"}
    paths = ["lib/a.js", "index.js", "index.d.ts", "dist/a.min.js"]
    assert written_by_people(iter(paths)) == {"lib/a.js", "index.js", "index.d.ts"}


def test_an_npm_package_is_read_from_the_cache_with_its_name_version_and_licence(tmp_path: Path):
    file = write_npm(tmp_path / "cache" / "npm" / "_some_leaf_1.2.0.tgz", {"src/a.ts": "let a = 1\n", "dist/a.js": "x"})
    pins = listed(tmp_path, f"@some/leaf@1.2.0 sha256:{sha256_of_file(file)}")
    assert list(NpmPackages(pins, tmp_path / "cache", WANTED).files()) == [
        SourceFile("src/a.ts", b"let a = 1\n", "@some/leaf", "1.2.0", "MIT")
    ]


def test_what_is_not_as_it_is_pinned_is_refused_with_the_hash_that_it_has(tmp_path: Path):
    file = write_npm(tmp_path / "cache" / "npm" / "leaf_1.2.0.tgz", {"a.js": "x"})
    for stated in ("", f" sha256:{'0' * 64}"):
        packages = NpmPackages(listed(tmp_path, f"leaf@1.2.0{stated}"), tmp_path / "cache", WANTED)
        with pytest.raises(InputError, match=sha256_of_file(file)):
            list(packages.files())


def fake_client(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    (folder / "bin").mkdir()
    (folder / "bin" / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder / "bin"), prepend=":")


@pytest.mark.parametrize(("client", "fetch"), [("npm", npm.fetch), ("apt-get", debian.fetch)])
def test_what_a_client_says_is_passed_on_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: str, fetch
):
    fake_client(tmp_path, monkeypatch, client, "echo 'E: no such package' >&2; exit 1")
    with pytest.raises(InputError, match=r"leaf 1\.0.*no such package"):
        fetch(ClientPin("leaf", "1.0", ""), tmp_path / "cache" / "leaf")
    assert not list((tmp_path / "cache").iterdir())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDependencyError, match=client):
        fetch(ClientPin("leaf", "1.0", ""), tmp_path / "cache" / "leaf")


def test_a_package_is_brought_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = write_npm(tmp_path / "leaf.tgz", {"a.js": "x"})
    fake_client(tmp_path, monkeypatch, "npm", f'cp "{file}" . && echo "$@" >>"{tmp_path / "asked"}"')
    packages = NpmPackages(listed(tmp_path, f"leaf@1.2.0 sha256:{sha256_of_file(file)}"), tmp_path / "cache", WANTED)
    assert list(packages.files()) == list(packages.files())
    (asked,) = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert asked.endswith("leaf@1.2.0") and "--ignore-scripts" in asked


def test_each_file_of_a_debian_package_has_the_licence_that_its_copyright_states(tmp_path: Path):
    files = {"main.go": "package a\n", "contrib/b.go": "b", "tools/c.go": "c", "tools/dd.go": "d", "a.txt": ""}
    description = write_debian(tmp_path / "cache" / "debian" / "leaf_1_1.0-1", files)
    pins = listed(tmp_path, f"leaf=1:1.0-1 sha256:{sha256_of_file(description)}")
    found = by_path(list(DebianPackages(pins, tmp_path / "cache", WANTED).files()))
    assert {path: file.license for path, file in found.items()} == {
        "main.go": "MIT",
        "contrib/b.go": found["contrib/b.go"].license,
        "tools/c.go": found["contrib/b.go"].license,
        "tools/dd.go": "MIT",
    }
    assert found["contrib/b.go"].license != "MIT"
    assert (found["main.go"].package, found["main.go"].version) == ("leaf", "1:1.0-1")


def test_an_archive_that_is_another_than_the_description_names_is_refused(tmp_path: Path):
    folder = tmp_path / "cache" / "debian" / "leaf_1.0-1"
    description = write_debian(folder, {"main.go": "package a\n"})
    pins = listed(tmp_path, f"leaf=1.0-1 sha256:{sha256_of_file(description)}")
    (folder / "leaf_1.0.orig.tar.gz").write_bytes(b"something else")
    with pytest.raises(InputError, match=r"is not what leaf_1\.0-1\.dsc names"):
        list(DebianPackages(pins, tmp_path / "cache", WANTED).files())


@pytest.mark.parametrize(
    ("field", "expression"),
    [
        ("Expat", "MIT"),
        ("BSD-3-clause", "BSD-3-Clause"),
        ("Apache-2.0 or Expat", "Apache-2.0 OR MIT"),
        ("GPL-2+", "GPL-2.0-or-later"),
        ("Expat, and BSL-1", "MIT AND BSL-1.0"),
        ("", ""),
    ],
)
def test_debians_names_are_spdxs(field: str, expression: str):
    assert expression_of_short_names(field) == expression


def test_a_copyright_in_another_form_says_nothing():
    assert DebianCopyright.parse("This is free software.").license_of("a.go") == ""
    assert DebianCopyright.parse("").license_of("a.go") == ""
    unknown = DebianCopyright.parse("Format: x\n\nFiles: *\nLicense: some-licence\n")
    assert unknown.license_of("a.go") in ("", "LicenseRef-some-licence")
