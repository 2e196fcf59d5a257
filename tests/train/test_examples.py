"""The settings that come with the repository are ones that the commands take."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coder.model.checkpoint.opening import open_checkpoint
from coder.train.settings_file import read_settings
from data.pack.settings import read_settings as read_pack_settings
from tests.train.infilling_models import write_checkpoint

TRAINING = Path(__file__).parents[2] / "examples" / "training"
SETTINGS = sorted(TRAINING.glob("*/settings.toml"))
PACK_SETTINGS = sorted(TRAINING.glob("*/pack.toml"))


@pytest.mark.parametrize("file", SETTINGS, ids=lambda file: file.parent.name)
def test_training_settings_are_understood(file: Path):
    settings = read_settings(file)
    assert settings.budget.max_steps or settings.budget.max_seconds


@pytest.mark.parametrize("file", PACK_SETTINGS, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_pack_settings_are_understood(file: Path):
    assert read_pack_settings(file).row_length <= 1024


def test_there_are_some():
    assert SETTINGS and PACK_SETTINGS


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the script is for bash")
def test_the_script_makes_an_adapter_and_goes_on_from_it(tmp_path: Path):
    """The very script with a random base, a folder of sources and two steps."""
    recipe = shutil.copytree(TRAINING / "embedded", tmp_path / "recipe")
    settings = (recipe / "settings.toml").read_text(encoding="utf-8")
    for long, short in (
        ("max_seconds = 9000", "max_steps = 2"),
        ("frozen_layers = 8", "rank = 4"),
        ("compile = true", "log_every = 1"),
    ):
        assert long in settings
        settings = settings.replace(long, short)
    (recipe / "settings.toml").write_text(settings, encoding="utf-8")
    base, sources = write_checkpoint(tmp_path / "base"), []
    for name in ("lessons.py", "runs.py"):
        sources.append(tmp_path / name.removesuffix(".py"))
        sources[-1].mkdir()
        shutil.copy(Path(__file__).parent / name, sources[-1])
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    first = tmp_path / "first" / "model" / "adapter.safetensors"
    for name, begun in (("first", None), ("second", first)):
        subprocess.run(
            ["bash", recipe / "repeat.sh", base, tmp_path / name, *sources],
            env=environment if begun is None else {**environment, "ADAPTER": str(begun)},
            check=True,
            timeout=300,
        )
        made = open_checkpoint(str(tmp_path / name / "model"))
        assert made.config.version == "embedded" and made.config.abilities.context and made.adapters
    assert first.read_bytes() != (tmp_path / "second" / "model" / "adapter.safetensors").read_bytes()
