"""A release, built by its one command and tried as users install it: with pip, in real editors, from checksums."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from coder.errors import QuickfillError
from release.editor_plugins import emacs_definition, pack
from release.project import PLUGINS, ROOT, project_version
from release.python_package import source_date
from tests.e2e.emacs import find_emacs
from tests.e2e.neovim import find_neovim

VERSION = project_version()
URL = "https://example.org/download"
REPOSITORY = "https://example.org/quickfill.git"
WHEEL = f"quickfill-{VERSION}-py3-none-any.whl"
ADVICE = f'pip install "{URL}/{WHEEL}"'


def text_of(command: list[str], **more: object) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)  # pyright: ignore[reportCallIssue, reportArgumentType]
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_all_parts_have_one_version():
    package = json.loads((PLUGINS / "vscode" / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((PLUGINS / "vscode" / "package-lock.json").read_text(encoding="utf-8"))
    emacs = re.search(r"^;; Version: (.*)$", (PLUGINS / "emacs" / "quickfill.el").read_text("utf-8"), re.MULTILINE)
    assert emacs
    assert {package["version"], lock["version"], emacs.group(1)} == {VERSION}


def test_a_package_of_emacs_is_defined_by_the_headers_of_its_file():
    main = ';;; quickfill.el --- Suggestions  -*- lexical-binding: t; -*-\n;; Package-Requires: ((emacs "30.1"))\n'
    assert emacs_definition(main, "1.2").splitlines()[1] == (
        '(define-package "quickfill" "1.2" "Suggestions" \'((emacs "30.1")))'
    )


def test_the_same_files_make_the_same_tar(tmp_path: Path):
    first, second = (
        pack(tmp_path / name, "top", files)
        for name, files in [("a.tar", {"x": b"1", "y": b"2"}), ("b.tar", {"y": b"2", "x": b"1"})]
    )
    assert first.read_bytes() == second.read_bytes()
    with tarfile.open(first) as packed:
        assert packed.getnames() == ["top/x", "top/y"]


def test_a_release_never_goes_between_other_files(tmp_path: Path):
    (tmp_path / "older").touch()
    command = [sys.executable, "-m", "release", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, f"error: {tmp_path} is not empty; name another folder with --out\n")


def test_the_time_of_a_release_is_its_commit_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    for command in (["init", "--quiet"], [*identity, "commit", "--quiet", "--allow-empty", "-m", "x", "--date", "1"]):
        text_of(["git", *command], cwd=tmp_path, env=os.environ | {"GIT_COMMITTER_DATE": "1600000000 +0000"})
    assert source_date(tmp_path) == "1600000000"


def test_without_commits_the_time_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(QuickfillError, match="set SOURCE_DATE_EPOCH"):
        source_date(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "12")
    assert source_date(tmp_path) == "12"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release, built by the command."""
    out = tmp_path_factory.mktemp("release")
    command = [sys.executable, "-m", "release", "--out", str(out), "--url", URL, "--repository", REPOSITORY]
    # The tests may run in a copy that has no commits.
    text_of(command, cwd=ROOT, env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"})
    return out


@pytest.mark.slow
class TestFiles:
    def test_every_file_is_named_with_its_checksum(self, release: Path):
        lines = (release / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
        sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
        assert sums.keys() == {file.name for file in release.iterdir()} - {"SHA256SUMS"}
        assert all(hashlib.sha256((release / name).read_bytes()).hexdigest() == sums[name] for name in sums)

    def test_the_wheel_holds_the_model_the_licence_and_the_playground(self, release: Path):
        names = zipfile.ZipFile(release / WHEEL).namelist()
        for end in ("coder/weights/base/adapter.safetensors", "licenses/LICENSE", "playground/built/monaco.js"):
            assert any(name.endswith(end) for name in names), end
        assert not [name for name in names if name.startswith(("tests/", "release/"))]

    def test_the_bill_names_versions_and_licences_of_what_is_installed(self, release: Path):
        bill = json.loads((release / f"quickfill-{VERSION}.cdx.json").read_text(encoding="utf-8"))
        components = {component["name"]: component for component in bill["components"]}
        assert bill["bomFormat"] == "CycloneDX"
        assert components["quickfill"]["version"] == VERSION
        assert {"numpy", "onnxruntime", "tokenizers", "tree-sitter"} <= components.keys()
        assert "torch" not in components
        assert {name for name, component in components.items() if not component.get("licenses")} <= {"protobuf"}

    def test_the_bill_of_the_extension_leaves_tools_out(self, release: Path):
        bill = json.loads((release / f"quickfill-vscode-{VERSION}.cdx.json").read_text(encoding="utf-8"))
        names = {component["name"] for component in bill["components"]}
        assert "vscode-languageclient" in names
        assert not names & {"esbuild", "typescript", "@vscode/vsce"}

    def test_the_extension_advises_the_wheel_of_the_release(self, release: Path):
        extension = zipfile.ZipFile(release / f"quickfill-{VERSION}.vsix")
        bundle = extension.read("extension/dist/extension.js").decode()
        assert f"{URL}/{WHEEL}" in bundle
        assert str(ROOT) not in bundle
        assert json.loads(extension.read("extension/package.json"))["version"] == VERSION

    def test_the_formula_names_the_source_and_its_checksum(self, release: Path):
        formula = (release / "quickfill.rb").read_text(encoding="utf-8")
        source = release / f"quickfill-{VERSION}.tar.gz"
        assert f'url "{URL}/{source.name}"' in formula
        assert f'sha256 "{hashlib.sha256(source.read_bytes()).hexdigest()}"' in formula

    @pytest.mark.skipif(shutil.which("ruby") is None, reason="needs ruby")
    def test_the_formula_is_ruby(self, release: Path):
        assert "Syntax OK" in text_of(["ruby", "-c", str(release / "quickfill.rb")])

    def test_what_the_dockerfile_copies_lies_beside_it(self, release: Path):
        lines = (release / "Dockerfile").read_text(encoding="utf-8").splitlines()
        (copied,) = [line.split()[1] for line in lines if line.startswith("COPY")]
        assert [file.name for file in release.glob(copied)] == [WHEEL]
        assert lines[-1] == 'ENTRYPOINT ["quickfill", "serve", "--host", "0.0.0.0"]'

    def test_melpa_finds_the_package_in_the_repository(self, release: Path):
        recipe = (release / "melpa-recipe.el").read_text(encoding="utf-8")
        (pattern,) = re.findall(r':files \("(.*)"\)', recipe)
        assert f':url "{REPOSITORY}"' in recipe
        with tarfile.open(release / f"quickfill-{VERSION}.tar") as package:
            packed = {Path(name).name for name in package.getnames() if name.endswith(".el")}
        assert {file.name for file in ROOT.glob(pattern)} == packed - {"quickfill-pkg.el"} >= {"quickfill.el"}


@pytest.mark.slow
class TestInstallations:
    def test_pip_installs_the_wheel_and_the_doctor_is_content(self, release: Path, tmp_path: Path):
        text_of([sys.executable, "-m", "venv", str(tmp_path / "environment")])
        bin_folder = tmp_path / "environment" / ("Scripts" if os.name == "nt" else "bin")
        text_of([str(bin_folder / "python"), "-m", "pip", "install", "--quiet", str(release / WHEEL)])
        page = json.loads(text_of([str(bin_folder / "quickfill"), "doctor", "--json"]))
        assert page["works"]
        remedies = {finding["name"]: finding["remedy"] for finding in page["findings"]}
        assert remedies["serve"] == f'pip install "{release / WHEEL}[serve]"'

    def test_neovim_loads_the_plugin_as_plugin_managers_lay_it_out(self, release: Path, tmp_path: Path):
        plugins = tmp_path / "pack" / "plugins" / "start"
        with tarfile.open(release / f"quickfill.nvim-{VERSION}.tar.gz") as packed:
            packed.extractall(plugins, filter="data")
        code = (
            f"vim.opt.packpath:prepend([[{tmp_path}]])",
            "vim.cmd('packloadall!')",
            "io.write(require('quickfill.installation').command(), vim.fn.exists(':Quickfill'))",
        )
        command = [find_neovim(), "--headless", "--clean", *(part for line in code for part in ("-c", f"lua {line}"))]
        assert text_of([*command, "-c", "qall"]) == f"{ADVICE}2"

    def test_emacs_installs_the_package(self, release: Path, tmp_path: Path):
        code = (
            f'(setq package-user-dir "{tmp_path}" native-comp-jit-compilation nil)',
            f'(package-install-file "{release / f"quickfill-{VERSION}.tar"}")',
            "(require 'quickfill)",
            "(princ (list (fboundp (quote quickfill-fill)) (and (package-installed-p (quote quickfill)) t)))",
        )
        evaluated = [part for expression in code for part in ("--eval", expression)]
        command = [find_emacs(), "-Q", "--batch", "--load", "package", *evaluated]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stdout.endswith("(t t)"), done.stdout + done.stderr
