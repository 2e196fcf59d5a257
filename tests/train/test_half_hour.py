"""The scripts for a borrowed GPU, played through: only what is carried gets there, only what is sent comes back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from coder.model.convert.convert import convert
from coder.train.adapter_file import read_adapter
from coder.train.archive_parts import join
from coder.train.settings_file import read_settings
from tests.train.infilling_models import write_checkpoint
from tests.train.lessons import write_lessons

ROOT = Path(__file__).parents[2]
SCRIPTS = "examples/training/half_hour"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="the scripts are for bash")]

SETTINGS = """
data = { rows = "rows", held_out = "held_out" }
optimizer = { rows = 2 }
budget = { max_steps = 3 }
objective = { canvas_sizes = [4, 8] }
run = { log_every = 1, evaluate_every = 0 }

[model]
init = "start"
version = "half an hour"
rank = 8
local_width = 32
"""

ABSENT = """
import importlib.util
import sys

ABSENT = {names!r}
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name.split(".")[0] in ABSENT else found(name, package)


class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)


sys.meta_path.insert(0, Nothing())
"""
"""Imported when Python starts: these packages are not there."""

OURS = {"pydantic", "platformdirs", "onnxruntime", "tree_sitter", "pathspec", "pyarrow", "tensorboard", "pygls"}
"""Packages that a machine which was not made for this project lacks."""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A checkout with this program and weights of its own that git knows; a base in GGUF and rows for it."""
    repository = tmp_path / "repository"
    shutil.copytree(ROOT / "coder", repository / "coder", ignore=shutil.ignore_patterns("weights", "__pycache__"))
    shutil.copytree(ROOT / SCRIPTS, repository / SCRIPTS)
    ours, given = write_checkpoint(tmp_path / "ours"), repository / "given"
    shutil.copytree(ours, repository / "coder" / "weights")
    write_lessons(given / "rows", ours)
    convert(str(ours), given / "base" / "base.gguf", to="gguf", precision="f32")
    for name in ("config.json", "tokenizer.json"):
        shutil.copyfile(ours / name, given / "base" / name)
    (given / "settings.toml").write_text(SETTINGS, encoding="utf-8")
    (repository / ".gitignore").write_text("given\n", encoding="utf-8")
    for command in (["init", "--quiet"], ["add", "coder", "examples"]):
        subprocess.run(["git", *command], cwd=repository, check=True)
    return repository


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A Python with PyTorch and transformers, without what else this project needs."""
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "sitecustomize.py").write_text(ABSENT.format(names=OURS), encoding="utf-8")
    command = tmp_path / "bare" / "python"
    command.write_text(
        f'#!/bin/sh\nPYTHONPATH="{tmp_path / "bare"}:$PYTHONPATH" exec "{sys.executable}" "$@"\n', encoding="utf-8"
    )
    command.chmod(0o755)
    return command


@dataclass(frozen=True)
class Machine:
    """A borrowed machine: what is carried replaces its checkout in every call; what it keeps is elsewhere."""

    repository: Path
    python: Path
    folder: Path

    @property
    def keep(self) -> Path:
        return self.folder / "keep"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "KEEP": str(self.keep),
            "PYTHON": str(self.python),
            "PACKAGES": "",
            "PART_MIB": "0.02",
            "PARTS_TOGETHER": "2",
            "OMP_NUM_THREADS": "1",
            "CUDA_VISIBLE_DEVICES": "",
        }

    def here(self, script: str, *arguments: object) -> str:
        """Run one of the scripts in the repository; its output."""
        return self._run(script, arguments, self.repository)

    def there(self, script: str, *arguments: object, carry: Path | None = None) -> str:
        """Run one of them there, in a checkout of what git does not ignore and of what is carried."""
        checkout = self.folder / "checkout"
        shutil.rmtree(checkout, ignore_errors=True)
        shutil.copytree(self.repository, checkout, ignore=shutil.ignore_patterns(".git", ".half_hour", "given"))
        if carry is not None:
            shutil.copytree(carry, checkout / carry.relative_to(self.repository))
        return self._run(script, arguments, checkout)

    def _run(self, script: str, arguments: Sequence[object], where: Path) -> str:
        command = ["bash", f"{SCRIPTS}/{script}", *map(str, arguments)]
        done = subprocess.run(command, cwd=where, env=self.environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def test_half_an_hour_from_laying_out_to_bringing_home(repository: Path, python: Path, tmp_path: Path):
    machine, home = Machine(repository, python, tmp_path / "machine"), tmp_path / "home"
    weights = repository / "coder" / "weights" / "model.safetensors"
    before = weights.read_bytes()
    said = machine.here("lay_out.sh", "given/settings.toml", "given/rows", "given/rows", "given/base")
    assert not weights.exists()
    portions = sorted((repository / ".half_hour" / "parts").iterdir(), key=lambda path: int(path.name))
    assert len(portions) > 2 and f"{len(portions)} calls of at most" in said
    for portion in portions:
        machine.there("receive.sh", carry=portion)
    # A mistake in the settings is told, mended there, and costs no more than another start.
    settings = machine.keep / "cargo" / "settings.toml"
    machine.there("start.sh", 1000)
    assert "ready" in machine.there("poll.sh", 500)
    settings.write_text(SETTINGS.replace("rows = 2", "rows = 0"), encoding="utf-8")
    machine.there("start.sh", 1000)
    said = machine.there("poll.sh", 500)
    assert "failed" in said and "optimizer.rows" in said
    settings.write_text(SETTINGS.replace("rank = 8", "rank = 6"), encoding="utf-8")
    machine.there("start.sh", 1000)
    assert "ready" in machine.there("poll.sh", 500)
    sent = 0
    while len(list((machine.keep / "home").glob("part-*"))) > 2 * sent:
        sent += 1
        out = tmp_path / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        machine.there("send.sh", sent, out)
        assert len(list(out.glob("part-*"))) <= 2
        shutil.copytree(out, home, dirs_exist_ok=True)
    join(home, tmp_path / "result")
    machine.here("lay_out.sh", "back")
    assert weights.read_bytes() == before
    metadata, tensors = read_adapter(tmp_path / "result" / "adapter.safetensors")
    assert metadata["rank"] == "6"
    assert tensors["local.W1"].dtype == torch.bfloat16 and tensors["local.W2"].abs().sum() > 0
    assert (tmp_path / "result" / "figures.json").is_file()
    # The next half hour goes on from there.
    adapter = tmp_path / "result" / "adapter.safetensors"
    machine.here("lay_out.sh", "given/settings.toml", "given/rows", "given/rows", "given/base", adapter)
    shutil.rmtree(machine.keep)
    for portion in (repository / ".half_hour" / "parts").iterdir():
        machine.there("receive.sh", carry=portion)
    machine.there("start.sh", 1000)
    assert "ready" in machine.there("poll.sh", 500)
    assert read_settings(settings).model.adapter == machine.keep / "cargo" / "adapter.safetensors"
