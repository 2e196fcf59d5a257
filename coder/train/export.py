"""From a run to an adapter or a checkpoint that can be shipped, with measured figures and a model card."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch

from coder.diffusion.policies import policy_of
from coder.engine.engine import Engine
from coder.model.checkpoint.files import read_json
from coder.model.convert.convert import replaced
from coder.train.adapter_file import in_smaller_size
from coder.train.infilling import Hole, InfillingAnswer, Method, fill_with, read_holes
from coder.train.model_card import model_card
from coder.train.run_folder import (
    ADAPTER_FILE,
    CONFIG_FILE,
    FIGURES_FILE,
    SETTINGS_FILE,
    last_checkpoint,
    link,
    new_config,
)
from coder.train.settings import TrainSettings
from coder.train.settings_file import parse_settings

COMPARED = (
    Method("autoregressive"),
    Method("threshold:0.9", 8),
    Method("threshold:0.9", 16),
    Method("verified", 4),
    Method("lookup:4", 4),
)

AdapterType = Literal["bfloat16", "int8"]

DTYPES = {"bfloat16": torch.bfloat16, "int8": torch.int8}

OF_THE_TRAINER = ("*.pt", "*.pth", "*.bin", "clock.json", "trainer_state.json", "README.md")


def export(
    run: Path,
    out: Path,
    holes: Path | None = None,
    most_holes: int = 200,
    force: bool = False,
    dtype: AdapterType = "bfloat16",
) -> list[InfillingAnswer]:
    """Write the newest checkpoint of a run without what only the trainer needs, its adapter in `dtype`, with a card.

    `config.json` names the decoding methods that were measured.

    Args:
        holes: held-out holes to measure its decoding methods with; by default those of the run. Without any nothing is
            measured.
        force: replace what is there.

    Returns the answers that were written into the holes. Raises InputError where there is no checkpoint, or the folder
    is there already.
    """
    source = last_checkpoint(run)
    settings = parse_settings(read_json(run / SETTINGS_FILE), str(run / SETTINGS_FILE))
    found = read_holes(file, most_holes) if (file := holes or settings.data.holes) else []
    with replaced(out, force, source) as unfinished:
        shutil.copytree(source, unfinished, ignore=shutil.ignore_patterns(*OF_THE_TRAINER), copy_function=link)
        in_smaller_size(source / ADAPTER_FILE, unfinished / ADAPTER_FILE, DTYPES[dtype])
        answers = _measure(unfinished, found, settings)
        config = new_config(read_json(source / CONFIG_FILE), settings, _profiles(answers))
        (unfinished / CONFIG_FILE).unlink()
        (unfinished / CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        log = [*read_json(source / "trainer_state.json")["log_history"], *_last_figures(run)]
        (unfinished / "README.md").write_text(model_card(settings, log, answers), encoding="utf-8")
    return answers


def _last_figures(run: Path) -> list[dict[str, Any]]:
    """The figures of a run that is over."""
    return [read_json(run / FIGURES_FILE)] if (run / FIGURES_FILE).is_file() else []


def _measure(folder: Path, holes: Sequence[Hole], settings: TrainSettings) -> list[InfillingAnswer]:
    """Fill holes as an installation on a processor would."""
    if not holes:
        return []
    engine = Engine.load(str(folder), runtime="onnx")
    try:
        return fill_with(engine, holes, settings.run.hole_tokens, COMPARED)
    finally:
        engine.close()


def _profiles(answers: Sequence[InfillingAnswer]) -> list[dict[str, Any]]:
    """The methods that were measured and whose output is that of autoregressive decoding, so `auto` may choose them."""
    measured = dict.fromkeys(answer.method for answer in answers)
    return [
        _profile(method, [answer for answer in answers if answer.method == method])
        for method in measured
        if policy_of(method.policy).greedy
    ]


def _profile(method: Method, answers: Sequence[InfillingAnswer]) -> dict[str, Any]:
    """A `DecodingProfile` as `config.json` has it."""
    tokens = max(1, sum(answer.tokens for answer in answers))
    return {
        "policy": method.policy,
        "canvas_size": method.canvas_size,
        "canvas_passes_per_token": round(sum(answer.canvas_passes for answer in answers) / tokens, 3),
        "commit_passes_per_token": round(sum(answer.commit_passes for answer in answers) / tokens, 3),
    }
