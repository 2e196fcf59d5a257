"""Settings files: what is read, what is refused and how it is said, and that the page lists all of them."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from coder.errors import InputError
from coder.train import settings_file
from coder.train.pace import rate_factor, share_done
from coder.train.settings import BudgetSettings, OptimizerSettings
from coder.train.settings_file import parse_settings, read_settings, write_settings
from coder.train.settings_list import settings_toml

ROOT = Path(__file__).parents[2]

SHORT = '[data]\nrows = "rows"\n[budget]\nmax_steps = 10\n'

LACKING = "gguf onnxruntime pathspec platformdirs pydantic pygls rich tensorboard tree_sitter typer"
"""What a machine with PyTorch and transformers may lack."""


def write(folder: Path, text: str, name: str = "train.toml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_paths_start_from_the_file_and_those_of_the_command_line_do_not(tmp_path: Path):
    file = write(tmp_path, SHORT)
    settings = read_settings(file, {"model.init": "embedded", "budget.max_seconds": None})
    assert settings.data.rows == tmp_path / "rows"
    assert settings.run.out == tmp_path / "run"
    assert settings.model.init == "embedded"
    assert read_settings(file, {"run.out": Path("elsewhere")}).run.out == Path("elsewhere")


def test_weights_beside_the_file_are_found(tmp_path: Path):
    (tmp_path / "start").mkdir()
    settings = read_settings(write(tmp_path, SHORT + '[model]\ninit = "start"\n'))
    assert settings.model.init == str(tmp_path / "start")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[data]\nrows = 3\n[budget]\nmax_steps = 1\n", "data.rows"),
        (SHORT + "[optimizer]\nlearning_rat = 1.0\n", "optimizer.learning_rat"),
        ("[budget]\nmax_steps = 1\n", "data"),
        ('[data]\nrows = "rows"\n', "max_steps or max_seconds"),
        (SHORT + "[objective]\ncanvas_sizes = []\n", "canvas_sizes"),
        (SHORT + '[model]\nmethod = "half"\n', "model.method"),
        (SHORT + "[model]\nrank = 0\n", "at least 1"),
        (SHORT + "[optimizer]\nrows = 0\n", "at least 1"),
        ("rows = [", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str):
    with pytest.raises(InputError, match=message):
        read_settings(write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(InputError, match="cannot be read"):
        read_settings(tmp_path / "none.toml")


def test_what_is_written_is_read_again(tmp_path: Path):
    settings = read_settings(write(tmp_path, SHORT + "[objective]\ncanvas_sizes = [4, 4, 8]\n"))
    write_settings(settings, tmp_path / "settings.json")
    assert read_settings(tmp_path / "settings.json") == settings


def test_without_pydantic_the_same_settings_come_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    text = SHORT + "[objective]\ncanvas_sizes = [4]\n[optimizer]\nsteady = 0.5\n"
    expected = read_settings(write(tmp_path, text))
    monkeypatch.setitem(sys.modules, "pydantic", None)
    assert read_settings(write(tmp_path, text)) == expected
    with pytest.raises(InputError, match="learning_rat"):
        settings_file.read_settings(write(tmp_path, SHORT + "[optimizer]\nlearning_rat = 1.0\n"))
    with pytest.raises(InputError, match="data"):
        parse_settings({}, "nothing")


def test_the_page_lists_every_setting():
    assert settings_toml() in (ROOT / "docs" / "training.md").read_text(encoding="utf-8")


def test_the_listed_settings_are_a_settings_file():
    listed = tomllib.loads(settings_toml())
    listed["data"]["rows"], listed["budget"]["max_steps"] = "rows", 10
    assert parse_settings(listed, "the list") == parse_settings(tomllib.loads(SHORT), "short")


def test_the_settings_of_the_example_are_valid():
    read_settings(ROOT / "examples" / "training" / "half_hour" / "settings.toml")


def test_the_learning_rate_rises_stays_and_falls():
    optimizer = OptimizerSettings(warmup_steps=4, steady=0.5, lowest=0.1)
    factors = [rate_factor(step, share_done(step, 0.0, BudgetSettings(max_steps=20)), optimizer) for step in range(21)]
    assert factors[:4] == [0.25, 0.5, 0.75, 1.0]
    assert factors[4:11] == [1.0] * 7
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert factors[15] == pytest.approx(0.55)
    assert factors[20] == pytest.approx(0.1)


def test_the_clock_counts_where_it_is_ahead_of_the_steps():
    budget = BudgetSettings(max_steps=100, max_seconds=10.0)
    assert share_done(10, 0.0, budget) == 0.1
    assert share_done(10, 5.0, budget) == 0.5
    assert share_done(200, 0.0, budget) == 1.0


@pytest.mark.slow
def test_training_imports_no_more_than_a_machine_for_training_has():
    blocked = f"import sys; sys.modules.update(dict.fromkeys({LACKING.split()!r}))"
    modules = "coder.train.run, coder.train.__main__, coder.train.archive_parts, coder.model.convert.convert"
    program = f"{blocked}; import {modules}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=600)
    assert done.returncode == 0, done.stderr
