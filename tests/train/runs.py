"""Settings of small runs, and what they leave behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from coder.train.settings import TrainSettings
from coder.train.settings_file import parse_settings
from tests.train.infilling_models import write_model
from tests.train.lessons import write_lessons


def tree(folder: Path, family: str = "Qwen2.5-Coder", **changes: dict[str, Any]) -> dict[str, Any]:
    """Settings to learn the lessons by, written into `folder` together with what they name. Sections can be changed."""
    rows, init = folder / "rows", folder / "init"
    if not rows.exists():
        write_lessons(rows, write_model(init, family))
    settings: dict[str, dict[str, Any]] = {
        "data": {"rows": rows, "held_out": rows},
        "model": {"init": str(init), "version": "lessons", "rank": 8, "local_width": 32},
        "objective": {"canvas_sizes": [4, 8]},
        "optimizer": {"rows": 2, "accumulate": 1, "learning_rate": 2e-3, "warmup_steps": 3},
        "budget": {"max_steps": 60},
        "run": {"out": folder / "run", "evaluate_every": 0, "log_every": 20, "precision": "float32"},
    }
    for section, values in changes.items():
        settings[section] |= values
    return settings


def settings_of(folder: Path, family: str = "Qwen2.5-Coder", **changes: dict[str, Any]) -> TrainSettings:
    return parse_settings(tree(folder, family, **changes), "a test")


def weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    """What a run has written into a checkpoint."""
    found = safetensors.torch.load_file(checkpoint / "adapter.safetensors")
    if (checkpoint / "model.safetensors").is_file():
        found |= safetensors.torch.load_file(checkpoint / "model.safetensors")
    return found
