"""The checks of `quickfill doctor`, each on a machine that has the thing and on one that has not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

from coder.doctor import machine
from coder.doctor.editors import check_editors
from coder.doctor.findings import Finding, added_checks, findings_of
from coder.errors import InputError
from coder.installation import install_command

EXTENSION = ".vscode/extensions/quickfill.quickfill-0.1.0/package.json"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who has nothing yet, and programs only in `bin` of the home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return tmp_path


def program(home: Path, name: str, says: str) -> None:
    file = home / "bin" / name
    file.write_text(f"#!/bin/sh\necho '{says}'\n")
    file.chmod(0o755)


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def named(findings: Iterator[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


@pytest.mark.skipif(sys.platform == "win32", reason="programs of a shell")
class TestEditors:
    def test_none(self, home: Path):
        (finding,) = check_editors()
        assert (finding.status, finding.remedy[-23:]) == ("optional", "docs/language-server.md")

    def test_one_that_is_not_set_up_is_told_where_to_read(self, home: Path):
        program(home, "nvim", "NVIM v0.12.1")
        finding = named(check_editors())["Neovim"]
        assert finding.status == "optional"
        assert "0.12.1" in finding.summary
        assert finding.remedy == "see editor-plugins/nvim/README.md"

    def test_one_that_is_too_old(self, home: Path):
        program(home, "nvim", "NVIM v0.9.5")
        assert named(check_editors())["Neovim"].remedy == "install 0.12 or newer"

    @pytest.mark.parametrize(
        ("name", "program_name", "says", "file"),
        [
            ("Neovim", "nvim", "NVIM v0.12.0", ".config/nvim/init.lua"),
            ("Neovim", "nvim", "NVIM v0.12.0", ".local/share/nvim/lazy/quickfill.nvim/plugin/quickfill.lua"),
            ("VS Code", "code", "1.99.0", EXTENSION),
            ("Emacs", "emacs", "GNU Emacs 30.2", ".emacs.d/init.el"),
            ("Helix", "hx", "helix 25.07", ".config/helix/languages.toml"),
            ("Zed", "zed", "Zed 0.200.0", ".config/zed/settings.json"),
            ("Kate", "kate", "kate 22.12.3", ".config/kate/lspclient/settings.json"),
        ],
    )
    def test_one_that_is_set_up(self, home: Path, name: str, program_name: str, says: str, file: str):
        program(home, program_name, says)
        write(home / file, "quickfill lsp")
        assert named(check_editors())[name].status == "works"

    def test_a_program_that_says_nothing_is_still_an_editor(self, home: Path):
        program(home, "hx", "")
        assert "version unknown" in named(check_editors())["Helix"].summary


def test_an_extra_that_is_not_there_is_told_with_its_command(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machine, "EXTRAS", {"serve": ("json",), "torch": ("json", "no_such_module")})
    found = named(machine.check_extras())
    assert found["serve"].status == "works"
    assert found["torch"].summary == "without no_such_module"
    assert found["torch"].remedy == install_command("torch")


def test_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: str(tmp_path / "file" / "cache"))
    finding = named(machine.check_folders())["cache"]
    assert finding.status == "fails"
    assert "writable" in finding.remedy


def test_folders_say_what_they_hold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    write(tmp_path / "cache" / "weights" / "file", "x" * (3 << 20))
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: str(tmp_path / "cache"))
    assert named(machine.check_folders())["cache"].summary == f"{tmp_path / 'cache'}, 3 MB"


def test_another_quickfill_on_the_path_is_named(home: Path):
    program(home, "quickfill", "another one")
    finding = named(machine.check_versions())["command"]
    assert finding.status == "optional"
    assert str(home / "bin" / "quickfill") in finding.summary


def test_a_check_that_breaks_is_a_finding():
    def broken() -> Iterator[Finding]:
        yield Finding("part", "first", "works", "fine")
        raise ZeroDivisionError("of a library")

    first, last = findings_of("part", broken)
    assert (first.status, last.status) == ("works", "fails")
    assert last.summary == "ZeroDivisionError: of a library"


def test_an_error_of_ours_is_a_finding_with_its_remedy():
    def refusing() -> Iterator[Finding]:
        raise InputError("choose another one")
        yield

    (finding,) = findings_of("part", refusing)
    assert (finding.status, finding.remedy) == ("fails", "choose another one")


def test_other_parts_add_their_checks():
    assert {"lsp", "benchmarks"} <= {name for name, _ in added_checks()}
