"""From a run to a checkpoint that can be shipped: int8 weights, smoothing factors, measured figures, a card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coder.diffusion.policies import policy_of
from coder.engine.engine import Engine
from coder.model.checkpoint.json_file import read_json
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.convert.checkpoint_writer import write_checkpoint
from coder.model.convert.convert import replaced
from coder.model.convert.smoothing import save_smoothing
from coder.model.torch.calibration import calibrate
from coder.train.infilling import Answer, Hole, Method, fill_with, read_holes
from coder.train.model_card import model_card
from coder.train.run_folder import FIGURES_FILE, SETTINGS_FILE, last_checkpoint
from coder.train.settings import TrainSettings
from coder.train.settings_file import parse_settings

COMPARED = (
    Method("autoregressive"),
    Method("threshold:0.9", 8),
    Method("threshold:0.9", 16),
    Method("verified", 4),
    Method("lookup:4", 4),
)

CALIBRATION_TEXTS = 24


def export(run: Path, out: Path, holes: Path | None = None, most_holes: int = 200, force: bool = False) -> list[Answer]:
    """Write the newest checkpoint of a run as one in int8, with its model card. All of it appears there, or nothing.

    Args:
        holes: held-out holes to measure its decoding methods with, in int8; by default those of the run. Without any
            nothing is measured.
        force: replace what is there.

    Returns: what was written into the holes.

    Raises:
        InputError: there is no checkpoint, or the folder is there already.
    """
    source = last_checkpoint(run)
    settings = parse_settings(read_json(run / SETTINGS_FILE), str(run / SETTINGS_FILE))
    found = read_holes(file, most_holes) if (file := holes or settings.data.holes) else []
    checkpoint = open_checkpoint(str(source))
    with replaced(out, force, source) as unfinished:
        unfinished.mkdir()
        write_checkpoint(checkpoint, read_json(source / "config.json"), unfinished, "int8")
        texts = [hole.prefix + hole.middle + hole.suffix for hole in found[:CALIBRATION_TEXTS]]
        if texts:
            save_smoothing(unfinished, calibrate(checkpoint, texts))
        answers = _measure(unfinished, found, settings)
        log = [*read_json(source / "trainer_state.json")["log_history"], *_last_figures(run)]
        card = model_card(settings, log, answers)
        (unfinished / "README.md").write_text(card, encoding="utf-8")
    return answers


def _last_figures(run: Path) -> list[dict[str, Any]]:
    """What was measured when the run was over, if it is."""
    return [read_json(run / FIGURES_FILE)] if (run / FIGURES_FILE).is_file() else []


def _measure(folder: Path, holes: Sequence[Hole], settings: TrainSettings) -> list[Answer]:
    """Fill holes with the int8 checkpoint, and note in its `config.json` what the methods for `auto` take."""
    if not holes:
        return []
    engine = Engine.load(str(folder), runtime="onnx")
    try:
        answers = fill_with(engine, holes, settings.run.hole_tokens, COMPARED)
    finally:
        engine.close()
    content = read_json(folder / "config.json")
    content["quickfill"]["decoding"] = [
        _profile(method, [answer for answer in answers if answer.method == method])
        for method in COMPARED
        if policy_of(method.policy).greedy  # the output is that of autoregressive decoding, so `auto` may choose it
    ]
    (folder / "config.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return answers


def _profile(method: Method, answers: Sequence[Answer]) -> dict[str, Any]:
    """A `DecodingProfile` as `config.json` has it."""
    tokens = max(1, sum(answer.tokens for answer in answers))
    return {
        "policy": method.policy,
        "canvas_size": method.canvas_size,
        "canvas_passes_per_token": round(sum(answer.canvas_passes for answer in answers) / tokens, 3),
        "commit_passes_per_token": round(sum(answer.commit_passes for answer in answers) / tokens, 3),
    }
