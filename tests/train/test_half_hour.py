"""The scripts for a borrowed GPU, played through: only what is carried gets there, only what is sent comes back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from coder.train.adapter_file import read_adapter
from coder.train.archive_parts import join
from tests.train.runs import tree

ROOT = Path(__file__).parents[2]
SCRIPTS = "examples/training/half_hour"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="the scripts are for bash")]

SETTINGS = """
data = { rows = "rows", held_out = "held_out" }
model = { init = "start", version = "half an hour", rank = 8, local_width = 32 }
objective = { canvas_sizes = [4, 8] }
optimizer = { rows = 2 }
budget = { max_steps = 3 }
run = { log_every = 1, evaluate_every = 0 }
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A checkout with this program, and weights of its own that git knows."""
    repository = tmp_path / "repository"
    shutil.copytree(ROOT / "coder", repository / "coder", ignore=shutil.ignore_patterns("weights", "__pycache__"))
    shutil.copytree(ROOT / SCRIPTS, repository / SCRIPTS)
    given = tree(repository / "given")
    shutil.copytree(given["model"]["init"], repository / "coder" / "weights")
    (repository / "given" / "settings.toml").write_text(SETTINGS, encoding="utf-8")
    for command in (["init", "--quiet"], ["add", "coder", "examples"]):
        subprocess.run(["git", *command], cwd=repository, check=True)
    return repository


def call(script: str, *arguments: object, where: Path, keep: Path) -> str:
    """Run one of the scripts; its output."""
    environment = {
        **os.environ,
        "KEEP": str(keep),
        "PYTHON": sys.executable,
        "PACKAGES": "",
        "PART_MIB": "0.02",
        "PARTS_TOGETHER": "2",
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    command = ["bash", f"{SCRIPTS}/{script}", *map(str, arguments)]
    done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_half_an_hour_from_laying_out_to_bringing_home(repository: Path, tmp_path: Path):
    keep, machine, home = tmp_path / "keep", tmp_path / "machine", tmp_path / "home"
    weights = repository / "coder" / "weights" / "model.safetensors"
    before = weights.read_bytes()
    call("lay_out.sh", "given/settings.toml", "given/rows", "given/rows", where=repository, keep=keep)
    assert not weights.exists()
    portions = sorted((repository / ".half_hour" / "parts").iterdir(), key=lambda path: int(path.name))
    assert len(portions) > 2
    for portion in portions:
        shutil.rmtree(machine, ignore_errors=True)
        ignored = shutil.ignore_patterns(".git", ".half_hour", "given")
        shutil.copytree(repository, machine, ignore=ignored)
        shutil.copytree(portion, machine / ".half_hour" / "parts" / portion.name)
        call("receive.sh", where=machine, keep=keep)
    call("start.sh", 1000, where=machine, keep=keep)
    assert "ready" in call("poll.sh", 500, where=machine, keep=keep)
    sent = 0
    while len(list((keep / "home").glob("part-*"))) > 2 * sent:
        sent += 1
        out = tmp_path / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        call("send.sh", sent, out, where=machine, keep=keep)
        assert len(list(out.glob("part-*"))) <= 2
        shutil.copytree(out, home, dirs_exist_ok=True)
    join(home, tmp_path / "result")
    call("lay_out.sh", "back", where=repository, keep=keep)
    assert weights.read_bytes() == before
    metadata, tensors = read_adapter(tmp_path / "result" / "adapter.safetensors")
    assert metadata["rank"] == "8"
    assert tensors["local.W1"].dtype == torch.bfloat16 and tensors["local.W2"].abs().sum() > 0
    assert (tmp_path / "result" / "figures.json").is_file()
