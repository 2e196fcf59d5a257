"""The settings that come with the repository are ones that the commands take."""

from __future__ import annotations

from pathlib import Path

import pytest

from coder.train.settings_file import read_settings
from data.pack.settings import read_settings as read_pack_settings

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
