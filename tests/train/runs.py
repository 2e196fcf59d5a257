"""Settings of small runs, and what they leave behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from coder.model.checkpoint.checkpoint import expected_tensors
from coder.model.checkpoint.opening import open_checkpoint
from coder.train.settings import TrainSettings
from coder.train.settings_file import parse_settings
from tests.tiny import open_tiny_checkpoint
from tests.train.lessons import write_holes, write_lessons


def tree(folder: Path, **changes: dict[str, Any]) -> dict[str, Any]:
    """Settings to learn the lessons by, written into `folder` together with what they name. Sections can be changed."""
    rows, holes, init = folder / "rows", folder / "holes.jsonl", folder / "init"
    if not rows.exists():
        write_lessons(rows, open_tiny_checkpoint(init).tokenizer)
        write_holes(holes)
    settings: dict[str, dict[str, Any]] = {
        "data": {"rows": rows, "held_out": rows, "holes": holes},
        "model": {"init": str(init), "version": "lessons"},
        "objective": {"block_sizes": [4, 8], "draws": 8, "noisy_length": 256, "wrong_token_blocks": 0.0},
        "optimizer": {"rows": 8, "learning_rate": 1e-2, "frozen_embedding": False},
        "budget": {"max_steps": 200},
        "run": {"out": folder / "run", "evaluate_every": 0, "log_every": 50, "holes_to_fill": 20},
    }
    for section, values in changes.items():
        settings[section] |= values
    return settings


def settings_of(folder: Path, **changes: dict[str, Any]) -> TrainSettings:
    return parse_settings(tree(folder, **changes), "a test")


def weights(checkpoint: Path) -> dict[str, np.ndarray]:
    opened = open_checkpoint(str(checkpoint))
    return {name: opened.float_tensor(name) for name in expected_tensors(opened.config)}
