"""The ablation, with a tiny model: an arm at a time, resumable, with a line for each and a table of all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from benchmarks import training_ablation
from benchmarks.training_ablation import EXAMPLE, ArmResult, main, read_arms, read_results, slots, table
from coder.errors import InputError
from coder.train.run_folder import SETTINGS_FILE
from coder.train.settings_file import read_settings
from tests.train.infilling_models import write_checkpoint
from tests.train.lessons import write_lessons

ARMS = """
[recipe]

["one stream".objective]
context_gradient = true

["rank 4".model]
rank = 4
"""

SETTINGS = """
data = { rows = "rows" }
model = { local_width = 16, rank = 2 }
optimizer = { rows = 1, accumulate = 1 }
run = { evaluate_every = 0, precision = "float32" }
"""


def test_every_arm_of_the_example_is_one_that_training_takes():
    arms = read_arms(EXAMPLE / "arms.toml")
    assert arms[0].name == "recipe" and not arms[0].changes
    for arm in arms:
        settings = read_settings(EXAMPLE / "settings.toml", dict(arm.changes))
        assert settings == read_settings(EXAMPLE / "settings.toml") or arm.changes
    assert len({arm.folder for arm in arms}) == len(arms)


def test_a_file_that_has_no_arms_is_refused(tmp_path: Path):
    (tmp_path / "arms.toml").write_text("rank = 3", encoding="utf-8")
    with pytest.raises(InputError, match="a table for each arm"):
        read_arms(tmp_path / "arms.toml")


def test_a_line_that_was_cut_off_is_no_result(tmp_path: Path):
    whole = json.dumps({"arm": "a", "losses": {"loss": 1.0}, "filled": {}})
    (tmp_path / "results.jsonl").write_text(f"{whole}\n{whole[:20]}", encoding="utf-8")
    assert list(read_results(tmp_path / "results.jsonl")) == ["a"]


def test_the_tables_have_losses_by_slot_and_shares_by_decoding():
    result = ArmResult("a", {"loss": 3.0, "full_2": 4.0, "local_2": 3.5}, {"threshold": {"pass@1": 0.5, "empty": 0.1}})
    (row,) = table([result])
    assert (row["loss"], row["threshold pass@1"], row["threshold empty"]) == (3.0, 0.5, 0.1)
    full, local = slots([result])
    assert (full["2"], local["2"], full["1"]) == (4.0, 3.5, None)


@pytest.mark.slow
def test_arms_are_trained_one_at_a_time_and_no_arm_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    init = write_checkpoint(tmp_path / "init")
    rows = write_lessons(tmp_path / "rows", init)
    for name, text in (("arms.toml", ARMS), ("settings.toml", SETTINGS)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    filled: list[str] = []

    def fill(checkpoint: Path, folder: Path, holes: int) -> dict[str, dict[str, float]]:
        filled.append(f"{checkpoint.parent.parent.name}/{checkpoint.name} {holes}")
        return {"autoregressive": {"pass@1": 0.25}}

    monkeypatch.setattr(training_ablation, "fill", fill)
    app = typer.Typer()
    app.command()(main)
    given = [tmp_path / "out", "--rows", rows, "--held-out", rows, "--init", init, "--steps", 2, "--holes", 7]
    given += ["--settings", tmp_path / "settings.toml", "--arms", tmp_path / "arms.toml"]

    def call(*more: object) -> int:
        return CliRunner().invoke(app, [str(one) for one in (*given, *more)]).exit_code

    assert call("--most-arms", 1) == 0
    assert list(read_results(tmp_path / "out" / "results.jsonl")) == ["recipe"]
    assert call("--slice-seconds", 0) == 130, "the second arm is not done after a step"
    assert call() == 0
    results = read_results(tmp_path / "out" / "results.jsonl")
    assert list(results) == ["recipe", "one stream", "rank 4"]
    assert filled == [f"{arm}/checkpoint-2 7" for arm in ("recipe", "one-stream", "rank-4")]
    assert {"loss", "full_1", "local_1"} <= results["rank 4"].losses.keys()
    settings = json.loads((tmp_path / "out" / "one-stream" / "run" / SETTINGS_FILE).read_text(encoding="utf-8"))
    assert settings["objective"]["context_gradient"] is True
