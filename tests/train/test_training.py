"""A tiny model learns twenty functions by heart, and is then an ordinary checkpoint."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from coder.api.completion import CompletionRequest
from coder.engine.engine import Engine
from coder.model.checkpoint.opening import open_checkpoint
from coder.train.export import export
from coder.train.run import train
from coder.train.run_folder import last_checkpoint
from tests.train.lessons import HOLES
from tests.train.runs import settings_of

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Trained:
    run: Path
    figures: dict[str, float]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("lessons")
    settings = settings_of(folder)
    return Trained(settings.run.out, train(settings))


@pytest.fixture(scope="module")
def exported(trained: Trained) -> Path:
    out = trained.run.parent / "exported"
    export(trained.run, out)
    return out


def test_it_fills_every_hole_it_was_shown_by_both_ways_of_decoding(trained: Trained):
    assert trained.figures["eval_autoregressive_exact"] == 1.0
    assert trained.figures["eval_threshold_exact"] == 1.0


def test_it_fixes_several_tokens_a_pass(trained: Trained):
    assert trained.figures["eval_threshold_tokens_per_pass"] > 2.0


@pytest.mark.parametrize("canvas_size", [4, 8])
def test_it_stops_at_the_end_of_the_middle(trained: Trained, canvas_size: int):
    engine = Engine.load(str(last_checkpoint(trained.run)), runtime="torch")
    try:
        for hole in HOLES:
            request = CompletionRequest(
                hole.prefix, hole.suffix, policy="threshold", canvas_size=canvas_size, max_tokens=200
            )
            completion = engine.complete(request)
            assert (completion.text, completion.finish_reason) == (hole.middle, "end")
    finally:
        engine.close()


def test_the_log_has_a_loss_for_each_noise_level_and_canvas_size(trained: Trained):
    state = json.loads((last_checkpoint(trained.run) / "trainer_state.json").read_text(encoding="utf-8"))
    logged = state["log_history"][0]
    for size in (4, 8):
        assert {f"denoise_{size}_{level}" for level in ("0.25", "0.5", "0.75", "1", "full")} <= logged.keys()
    assert {"loss", "next_token", "seconds"} <= logged.keys()


def test_samples_can_be_read(trained: Trained):
    (page,) = (trained.run / "samples").glob("*.md")
    text = page.read_text(encoding="utf-8")
    assert HOLES[0].middle in text and "‸" in text


def test_the_export_is_int8_and_says_what_was_measured(exported: Path):
    checkpoint = open_checkpoint(str(exported))
    assert checkpoint.config.version == "lessons"
    assert checkpoint.config.block_sizes == (4, 8)
    assert {profile.policy for profile in checkpoint.config.decoding} == {"verified", "lookup:4"}
    assert checkpoint.stored["model.layers.0.mlp.down_proj.weight"].dtype == "I8"
    assert (exported / "smoothing.safetensors").is_file()
    card = (exported / "README.md").read_text(encoding="utf-8")
    for part in ("# Model card: lessons", "threshold:0.9, canvas 8", "200 steps", "t ≤ 0.25", "20 of them"):
        assert part in card


def test_the_export_still_knows_what_was_learned(exported: Path):
    engine = Engine.load(str(exported), runtime="onnx")
    try:
        right = [engine.complete(CompletionRequest(hole.prefix, hole.suffix)).text == hole.middle for hole in HOLES]
    finally:
        engine.close()
    assert sum(right) >= 18
