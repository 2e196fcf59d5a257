"""Two processes on one machine, by gloo, train like one with twice the batch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from coder.train.run_folder import last_checkpoint
from coder.train.settings_file import parse_settings, write_settings
from tests.train.runs import tree, weights

ROOT = Path(__file__).parents[2]
STEPS = 5
LEARNING_RATE = 1e-3

pytestmark = pytest.mark.slow


def run(folder: Path, out: str, rows: int, launcher: list[str]) -> Path:
    """Train in processes of their own, as on any machine; the run's folder."""
    settings = parse_settings(
        tree(
            folder,
            optimizer={"rows": rows, "learning_rate": LEARNING_RATE, "frozen_embedding": True},
            budget={"max_steps": STEPS},
            run={"out": folder / out, "holes_to_fill": 2},
        ),
        "a test",
    )
    file = folder / f"{out}.json"
    write_settings(settings, file)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *launcher, "-m", "coder.train", str(file)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return folder / out


def test_two_processes_equal_one_with_twice_the_batch(tmp_path: Path):
    one = run(tmp_path, "one", rows=4, launcher=[])
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    two = run(tmp_path, "two", rows=2, launcher=launcher)
    start = weights(tmp_path / "init")
    expected, found = weights(last_checkpoint(one)), weights(last_checkpoint(two))
    for name, values in expected.items():
        # Sums in another order; where a gradient is nearly nothing, Adam makes a step out of it all the same.
        apart, moved = np.abs(found[name] - values), np.abs(values - start[name])
        assert np.median(apart) <= 1e-3 * LEARNING_RATE, name
        assert apart.mean() <= 0.02 * moved.mean(), name
    assert (two / "figures.json").is_file()
