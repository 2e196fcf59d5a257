"""`quickfill train` from the command line: help, settings, errors. What it does is in `tests/train`."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from coder.cli import app
from coder.errors import InputError, MissingDependencyError
from coder.installation import install_command
from coder.train.settings_list import settings_toml

runner = CliRunner()


def test_help_shows_the_commands_and_examples():
    shown = runner.invoke(app, ["train", "--help"], env={"COLUMNS": "100"}).output
    for part in ("run", "settings", "export", "--slice-seconds 1500", "torchrun"):
        assert part in shown


def test_settings_are_listed_as_a_file():
    assert runner.invoke(app, ["train", "settings"]).output == settings_toml()


@pytest.mark.parametrize("arguments", [["train"], ["train", "run"]])
def test_a_settings_file_is_run(tmp_path: Path, arguments: list[str]):
    file = tmp_path / "my.toml"
    file.write_text('[data]\nrows = "none"\n[budget]\nmax_steps = 1\n', encoding="utf-8")
    error = runner.invoke(app, [*arguments, str(file), "--out", str(tmp_path / "run")]).exception
    assert isinstance(error, InputError)
    assert "holds no packed rows" in str(error)


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "my.toml"
    file.write_text('[data]\nrows = "none"\n[budget]\nmax_steps = 1\n', encoding="utf-8")
    monkeypatch.setattr("coder.commands.train.NEEDED", ("torch", "quickfill_has_no_such_package"))
    error = runner.invoke(app, ["train", str(file)]).exception
    assert isinstance(error, MissingDependencyError)
    assert install_command("train") in str(error)


def test_a_run_without_a_checkpoint_cannot_be_exported(tmp_path: Path):
    error = runner.invoke(app, ["train", "export", str(tmp_path), "--out", str(tmp_path / "out")]).exception
    assert isinstance(error, InputError)
    assert "no finished checkpoint" in str(error)
