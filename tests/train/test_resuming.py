"""Training that is interrupted goes on as if it had not been."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from coder.errors import InputError
from coder.train.pace import Pace
from coder.train.run import train
from coder.train.run_folder import last_checkpoint, newest_checkpoint
from coder.train.settings import TrainSettings
from coder.train.settings_file import write_settings
from tests.train.killed_run import MOMENTS
from tests.train.runs import settings_of, weights

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow

STEPS = 9


def short_run(folder: Path, out: str, **changes: dict[str, Any]):
    sections: dict[str, dict[str, Any]] = {
        "data": {"held_out": None},
        "budget": {"max_steps": STEPS},
        "optimizer": {"rows": 1, "accumulate": 2},
        "run": {"out": folder / out, "log_every": 1, "save_every": 100},
    }
    for section, values in changes.items():
        sections[section] = sections.get(section, {}) | values
    return settings_of(folder, "Qwen2.5-Coder", **sections)


def signal_in_step(monkeypatch: pytest.MonkeyPatch, step: int, number: signal.Signals) -> None:
    """Send this process a signal while it is in its `step`-th step from now."""
    original = Pace.on_optimizer_step
    steps = iter(range(1, 1000))

    def with_signal(self: Pace, *arguments: Any, **named: Any) -> None:
        if next(steps) == step:
            signal.raise_signal(number)
        original(self, *arguments, **named)

    monkeypatch.setattr(Pace, "on_optimizer_step", with_signal)


@pytest.mark.parametrize(("number", "method"), [(signal.SIGTERM, "low-rank"), (signal.SIGINT, "full")])
def test_a_signal_changes_nothing_but_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number, method: str):
    whole, parts = (short_run(tmp_path, out, model={"method": method}) for out in ("whole", "parts"))
    train(whole)
    with monkeypatch.context() as patched:
        signal_in_step(patched, 4, number)
        assert train(parts) == {}
    assert last_checkpoint(parts.run.out).name == "checkpoint-4"
    train(parts)
    expected, found = (weights(run.run.out / f"checkpoint-{STEPS}") for run in (whole, parts))
    assert expected.keys() == found.keys()
    for name, values in expected.items():
        assert torch.equal(found[name], values), name


def in_a_process(moment: str, settings: TrainSettings, folder: Path) -> subprocess.CompletedProcess[str]:
    """Train in a process that is killed at some moment, or whose disk is full."""
    write_settings(settings, folder / "settings.json")
    command = [sys.executable, "-m", "tests.train.killed_run", moment, str(folder / "settings.json")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    folder = tmp_path_factory.mktemp("uninterrupted")
    settings = short_run(folder, "run", run={"save_every": 2, "keep": 1})
    assert in_a_process("none", settings, folder).returncode == 0
    return weights(last_checkpoint(settings.run.out))


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is killed outright there")
@pytest.mark.parametrize("moment", [moment for moment in MOMENTS if moment not in ("none", "full disk")])
def test_a_run_that_is_killed_goes_on_as_if_it_had_not_been(
    tmp_path: Path, moment: str, uninterrupted: dict[str, torch.Tensor]
):
    settings = short_run(tmp_path, "run", run={"save_every": 2, "keep": 1})
    assert in_a_process(moment, settings, tmp_path).returncode == -signal.SIGKILL
    assert newest_checkpoint(settings.run.out) is not None, "nothing is left"
    assert in_a_process("none", settings, tmp_path).returncode == 0
    found = weights(settings.run.out / f"checkpoint-{STEPS}")
    for name, values in uninterrupted.items():
        assert torch.equal(found[name], values), name
    assert [path.name for path in settings.run.out.glob("checkpoint-*")] == [f"checkpoint-{STEPS}"]


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of a file's size can be set there")
def test_a_full_disk_costs_no_more_than_the_steps_since_the_last_checkpoint(
    tmp_path: Path, uninterrupted: dict[str, torch.Tensor]
):
    settings = short_run(tmp_path, "run", run={"save_every": 2, "keep": 1})
    assert in_a_process("in a step", settings, tmp_path).returncode == -signal.SIGKILL
    done = in_a_process("full disk", settings, tmp_path)
    assert done.returncode == InputError.exit_code, done.stderr
    assert "Free some room" in done.stderr
    assert [path.name for path in settings.run.out.glob("checkpoint-*")] == ["checkpoint-4"]
    assert in_a_process("none", settings, tmp_path).returncode == 0
    found = weights(last_checkpoint(settings.run.out))
    assert all(torch.equal(found[name], values) for name, values in uninterrupted.items())


def test_a_slice_ends_when_its_time_is_up_and_the_clock_goes_on(tmp_path: Path):
    settings = short_run(tmp_path, "run", budget={"slice_seconds": 0.0})
    train(settings)
    assert last_checkpoint(settings.run.out).name == "checkpoint-1"
    train(settings)
    first, second = (
        float((settings.run.out / f"checkpoint-{step}" / "clock.json").read_text().split(":")[1].strip(" }\n"))
        for step in (1, 2)
    )
    assert second > first > 0.0


def test_the_time_budget_ends_a_run(tmp_path: Path):
    settings = short_run(tmp_path, "run", budget={"max_steps": None, "max_seconds": 1e-6})
    train(settings)
    assert last_checkpoint(settings.run.out).name == "checkpoint-1"
    assert (settings.run.out / "figures.json").is_file()


def test_an_unfinished_checkpoint_counts_for_nothing(tmp_path: Path):
    (tmp_path / "checkpoint-7").mkdir(parents=True)
    assert newest_checkpoint(tmp_path) is None
    with pytest.raises(InputError, match="no finished checkpoint"):
        last_checkpoint(tmp_path)
