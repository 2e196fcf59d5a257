"""A small model learns twenty functions by heart, in every family and by both methods."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
import transformers

from coder.errors import InputError
from coder.model.checkpoint.config import ARCHITECTURES
from coder.model.checkpoint.opening import open_checkpoint
from coder.train.adapter_file import adapter_tensors
from coder.train.base_model import open_base
from coder.train.export import AdapterType, export
from coder.train.run import prepared, train
from coder.train.run_folder import last_checkpoint
from tests.train.infilling_models import CONFIGS, write_checkpoint
from tests.train.lessons import write_holes, write_lessons
from tests.train.runs import settings_of, weights

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Trained:
    run: Path
    figures: dict[str, float]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """All weights, until it knows them by heart."""
    settings = settings_of(
        tmp_path_factory.mktemp("lessons"),
        model={"method": "full"},
        optimizer={"learning_rate": 1e-2},
        budget={"max_steps": 300},
    )
    return Trained(settings.run.out, train(settings))


def test_it_knows_the_next_tokens_and_the_slots_by_heart(trained: Trained):
    assert trained.figures["eval_next_token"] < 0.4
    assert trained.figures["eval_full_right_1"] > 0.85
    assert trained.figures["eval_local_right_3"] > 0.85


def test_the_log_has_the_losses_by_kind(trained: Trained):
    state = json.loads((last_checkpoint(trained.run) / "trainer_state.json").read_text(encoding="utf-8"))
    assert {"loss", "next_token", "canvas", "full", "local", "seconds"} <= state["log_history"][0].keys()


def test_a_checkpoint_of_all_weights_is_one_of_transformers(trained: Trained):
    folder = last_checkpoint(trained.run)
    loaded = transformers.AutoModelForCausalLM.from_pretrained(folder)
    assert loaded.config.model_type == "qwen2"
    assert {"adapter.safetensors", "tokenizer.json", "config.json"} <= {file.name for file in folder.iterdir()}


def test_the_export_has_a_card_with_losses_by_slot(trained: Trained, tmp_path: Path):
    export(trained.run, tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    for part in ("# Model card: lessons", "all weights", "300 steps", "| slot | 1 | 2 |", "right, local"):
        assert part in card
    with pytest.raises(InputError, match="force"):
        export(trained.run, tmp_path / "out")


@pytest.mark.parametrize("family", CONFIGS)
def test_a_low_rank_run_learns_in_every_family(tmp_path: Path, family: str):
    settings = settings_of(tmp_path, family, optimizer={"learning_rate": 1e-2}, budget={"max_steps": 40})
    train(settings)
    log = json.loads((last_checkpoint(settings.run.out) / "trainer_state.json").read_text(encoding="utf-8"))
    losses = [entry["loss"] for entry in log["log_history"] if "loss" in entry]
    assert losses[-1] < 0.97 * losses[0]
    assert all(value.isfinite().all() for value in weights(last_checkpoint(settings.run.out)).values())


@pytest.mark.parametrize("dtype", ["bfloat16", "int8"])
@pytest.mark.parametrize("family", CONFIGS)
def test_low_rank_exports_an_adapter_that_training_and_the_engine_take(tmp_path: Path, family: str, dtype: AdapterType):
    settings = settings_of(tmp_path, family, budget={"max_steps": 2}, run={"log_every": 1})
    train(settings)
    export(settings.run.out, tmp_path / "out", dtype=dtype)
    file = tmp_path / "out" / "adapter.safetensors"
    trained = weights(last_checkpoint(settings.run.out))
    base = open_base(settings.model.init, torch.float32)
    again = adapter_tensors(prepared(base, settings_of(tmp_path, family, model={"adapter": file})).state_dict())
    for name, value in trained.items():
        step = value.abs().amax(dim=-1, keepdim=True) / 127
        assert ((again[name] - value).abs() <= step + 1e-9).all(), name
    if base.model.config.model_type in ARCHITECTURES:
        opened = open_checkpoint(f"{settings.model.init}+{file}")
        assert opened.adapters == (file,) and opened.config.local_width == settings.model.local_width
        assert opened.config.adapted and not open_checkpoint(settings.model.init).config.adapted


@pytest.mark.parametrize("family", CONFIGS)
def test_full_training_exports_a_model_that_transformers_takes(tmp_path: Path, family: str):
    settings = settings_of(tmp_path, family, model={"method": "full"}, budget={"max_steps": 2}, run={"log_every": 1})
    train(settings)
    export(settings.run.out, tmp_path / "out")
    loaded, begun = (
        transformers.AutoModelForCausalLM.from_pretrained(folder).state_dict()
        for folder in (tmp_path / "out", Path(settings.model.init))
    )
    assert loaded.keys() == begun.keys()
    trained = weights(last_checkpoint(settings.run.out))
    matrix = next(name for name in loaded if name.endswith(("down_proj.weight", "c_proj.weight")))
    assert torch.equal(loaded[matrix], trained[matrix]) and not torch.equal(loaded[matrix], begun[matrix])


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """All weights of a checkpoint of this project, with holes to fill when it is over."""
    folder = tmp_path_factory.mktemp("ours")
    init = write_checkpoint(folder / "base")
    settings = settings_of(
        folder,
        data={
            "rows": write_lessons(folder / "our_rows", init),
            "held_out": None,
            "holes": write_holes(folder / "h.jsonl"),
        },
        model={"init": str(init), "method": "full", "version": "by heart"},
        optimizer={"learning_rate": 5e-3, "lowest": 0.02},
        budget={"max_steps": 600},
        run={"holes_to_fill": 20},
    )
    return Trained(settings.run.out, train(settings))


def test_the_engine_fills_what_was_learned_by_heart(ours: Trained):
    assert ours.figures["eval_autoregressive_exact"] > 0.8
    assert ours.figures["eval_threshold_exact"] > 0.7


def test_every_checkpoint_of_a_run_is_one_like_any_other(ours: Trained, tmp_path: Path):
    whole = last_checkpoint(ours.run)
    assert open_checkpoint(str(whole)).config.version == "by heart"
    # Low rank on top of it: the base's weights are in the folder, its own adapter gives way to the new one.
    settings = settings_of(
        tmp_path,
        data={"rows": write_lessons(tmp_path / "again", whole), "held_out": None},
        model={"init": str(whole), "version": "on top"},
        budget={"max_steps": 2},
    )
    train(settings)
    export(settings.run.out, tmp_path / "out", dtype="int8")
    opened = open_checkpoint(str(tmp_path / "out"))
    assert opened.config.version == "on top" and opened.config.local_width == 32
    assert [file.name for file in opened.adapters] == ["adapter.safetensors"]
    assert not {file.name for file in (tmp_path / "out").iterdir()} & {"optimizer.pt", "clock.json"}
    assert (whole / "model.safetensors").samefile(tmp_path / "out" / "model.safetensors")


def test_holes_are_filled_by_this_projects_checkpoints_alone(tmp_path: Path):
    with pytest.raises(InputError, match="quickfill convert"):
        train(settings_of(tmp_path, data={"holes": write_holes(tmp_path / "h.jsonl")}))


def test_rows_of_another_tokenizer_are_refused(tmp_path: Path):
    settings = settings_of(tmp_path)
    file = settings.data.rows / "rows.json"
    card = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**card, "vocabulary": "another"}), encoding="utf-8")
    with pytest.raises(InputError, match="another tokenizer"):
        train(settings)


def test_products_in_bfloat16_learn_the_same(tmp_path: Path):
    figures = [
        train(
            settings_of(tmp_path, run={"out": tmp_path / precision, "precision": precision}, budget={"max_steps": 20})
        )
        for precision in ("float32", "bfloat16")
    ]
    assert figures[0]["eval_loss"] == pytest.approx(figures[1]["eval_loss"], rel=0.02)
