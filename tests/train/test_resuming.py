"""Training that is interrupted goes on as if it had not been."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from coder.errors import InputError
from coder.train.pace import Pace
from coder.train.run import train
from coder.train.run_folder import last_checkpoint, newest_checkpoint
from tests.train.runs import settings_of, weights

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
