"""`quickfill adapt`, as somebody runs it, on a small project and a tiny model."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tiny import write_tiny_checkpoint

ROOT = Path(__file__).parents[3]


def quickfill(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = shutil.which("quickfill", path=str(Path(sys.executable).parent))
    assert command, "the tests need the command; CONTRIBUTING.md says how to install it"
    # So small a model only waits for threads.
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    words = [command, *map(str, arguments)]
    return subprocess.run(words, capture_output=True, encoding="utf-8", timeout=300, env=environment)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_checkpoint(tmp_path_factory.mktemp("model"), quantized=True)


@pytest.fixture(scope="module")
def adapted(model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """An adapter of a small project, and what was said."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("canvas", "events", "unmasking", "schedules"):
        shutil.copy(ROOT / "coder" / "diffusion" / f"{name}.py", folder)
    out = folder / "out" / "project.safetensors"
    options = ("--model", model, "--epochs", 1, "--minutes", 60, "--holes", 3, "--held-out", 0.3)
    return out, quickfill("adapt", folder, "--out", out, *options)


@pytest.mark.slow
def test_it_says_what_it_was_good_for(adapted: tuple[Path, subprocess.CompletedProcess[str]]):
    out, done = adapted
    assert done.returncode == 0, done.stderr
    assert out.stat().st_size < 100_000
    assert re.search(r"learned from 3 files in (\d+) of \1 steps; 3 lines of 1 others filled", done.stdout)
    assert "loss, nats a token" in done.stdout
    assert [file.name for file in out.parent.iterdir()] == [out.name]


@pytest.mark.slow
def test_the_adapter_is_used_where_it_fits(
    adapted: tuple[Path, subprocess.CompletedProcess[str]], model: Path, tmp_path: Path
):
    out, _ = adapted
    place = f"{ROOT / 'examples' / 'averages.py'}:24"
    done = quickfill("complete", place, "--model", model, "--adapter", out, "--max-tokens", 4, "--json")
    assert done.returncode in (0, 5), done.stderr
    assert f"+{out.resolve()}" in done.stdout.replace("\\\\", "\\")
    foreign = quickfill("complete", place, "--adapter", out)
    assert foreign.returncode == 3
    assert "made for other weights" in foreign.stderr


@pytest.mark.slow
def test_what_makes_no_sense_is_refused_before_anything_is_done(
    adapted: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
):
    out, _ = adapted
    assert "--force" in quickfill("adapt", out.parents[1], "--out", out).stderr
    assert "*.safetensors" in quickfill("adapt", out.parents[1], "--out", tmp_path / "adapter.bin").stderr
    assert "may be read" in quickfill("adapt", tmp_path, "--out", tmp_path / "a.safetensors").stderr
