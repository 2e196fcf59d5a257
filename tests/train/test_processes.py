"""Two processes on one machine, by gloo, train like one with twice the batch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

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
            optimizer={"rows": rows, "learning_rate": LEARNING_RATE},
            budget={"max_steps": STEPS},
            run={"out": folder / out},
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
    expected, found = weights(last_checkpoint(one)), weights(last_checkpoint(two))
    for name, values in expected.items():
        # Each process's loss is a mean over its own places, of which it has a few more or less than the other.
        apart = (found[name] - values).abs()
        assert float(apart.mean()) <= 0.5 * STEPS * LEARNING_RATE, name
    b_halves = [name for name in expected if name.endswith("lora_B")]
    alike = [torch.nn.functional.cosine_similarity(expected[n].flatten(), found[n].flatten(), dim=0) for n in b_halves]
    assert torch.stack(alike).mean() > 0.8
    assert (two / "figures.json").is_file()
