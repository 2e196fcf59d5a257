"""`quickfill models`, and published models through the commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from coder.commands.models import where_it_fits
from coder.engine import memory, runtimes
from coder.model.families.autoregressive import PUBLISHED
from coder.model.families.catalog import FAMILIES
from tests.commands.results import Quickfill
from tests.families import write_family_checkpoint

GIB = 2**30
NEEDS = {"bfloat16": 16.0, "int8": 8.0, "int4": 4.5}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "machine_memory", lambda: 24 * GIB)
    monkeypatch.setattr(runtimes, "gpu_memory", lambda: [10 * GIB])


@pytest.mark.usefixtures("machine")
def test_it_lists_every_published_model_and_what_fits_here(quickfill: Quickfill):
    result = quickfill("models", "--json")
    assert result.json["machine"] == {"memory_gib": 24.0, "gpus_gib": [10.0]}
    listed = {model["name"]: model for model in result.json["models"]}
    diffusion = {model.hub_id for family in FAMILIES for model in family.models}
    assert listed.keys() == {"embedded", *(model.hub_id for model in PUBLISHED), *diffusion}
    assert listed["Qwen/Qwen2.5-Coder-3B"]["licence"] == "Qwen's, research only"
    dream = listed["Dream-org/Dream-v0-Base-7B"]
    assert (dream["family"], dream["licence"], dream["fits"]) == ("dream", "Apache-2.0", "GPU, int8")
    assert 14 < dream["needs"]["bfloat16"] < 18 and dream["needs"]["int4"] < dream["needs"]["int8"]


@pytest.mark.usefixtures("machine")
def test_a_person_gets_a_table(quickfill: Quickfill):
    table = quickfill("models", terminal=True).stdout
    for text in ("GSAI-ML/LLaDA-8B-Base", "8B, base, MIT; family llada", "GPU, int8", "24 GiB of memory; GPUs: 10 GiB"):
        assert text in table


@pytest.mark.parametrize(
    ("memory", "gpus", "expected"),
    [
        (64, [24], "GPU, bfloat16"),
        (64, [12], "GPU, int8"),
        (64, [6], "GPU, int4"),
        (64, [12, 12], "GPUs, bfloat16, device=spread"),
        (64, [2], "CPU, float32"),
        (20, [], "CPU, bfloat16"),
        (8, [], "no"),
    ],
)
def test_where_a_model_fits(memory: float, gpus: list[float], expected: str):
    assert where_it_fits(NEEDS, memory, gpus) == expected


@pytest.mark.parametrize("family", ["dream", "sdar"])
def test_commands_with_a_published_model(quickfill: Quickfill, tmp_path: Path, family: str):
    """One of full attention and one of blocks, from the command line to the file."""
    model = f"{write_family_checkpoint(tmp_path / family, family)}?lengths=2,4"
    (tmp_path / "code.py").write_text("def add(first, second):\n    return <fill>\n\nx = <fill>\n")
    (tmp_path / "hole.py").write_text("def add(first, second):\n    \n\nprint(1)\n")
    common = "--model", model, "--json"
    completed = quickfill("complete", "hole.py:2", "--max-tokens", 6, "--apply", *common)
    assert completed.json["model"] == model and completed.json["tokens"] <= 6
    assert (completed.exit_code, (tmp_path / "hole.py.bak").is_file()) in [(0, True), (5, False)]
    assert len(quickfill("fill", "code.py", "--max-tokens", 6, *common).json["holes"]) == 2
    assert quickfill("generate", "add two numbers", "--max-tokens", 6, *common).json["prefix"].startswith("def add")
    assert quickfill("score", "code.py:1", *common).json["perplexity"] > 1
    facts = quickfill("info", *common).json
    assert facts["model"]["version"] == facts["runtime"]["family"] == family
    watched = quickfill("complete", "hole.py:1", "--watch", "--max-tokens", 4, "--model", model)
    assert watched.exit_code in (0, 5) and "pass" in watched.stderr


def test_a_model_that_cannot_be_run_is_explained(quickfill: Quickfill, tmp_path: Path):
    folder = write_family_checkpoint(tmp_path / "dream", "dream")
    (folder / "config.json").write_text('{"model_type": "mystery"}')
    (tmp_path / "code.py").write_text("x = \n")
    result = quickfill("complete", "code.py:1", "--model", folder, "--json")
    assert (result.exit_code, result.json["exit_code"]) == (3, 3)
    assert "quickfill models" in result.json["error"]


def test_more_than_the_memory_is_refused_before_it_is_tried(
    quickfill: Quickfill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(runtimes, "machine_memory", lambda: 1000)
    monkeypatch.setattr(runtimes, "gpu_memory", list)
    folder = write_family_checkpoint(tmp_path / "dream", "dream")
    (tmp_path / "code.py").write_text("x = \n")
    result = quickfill("complete", "code.py:1", "--model", folder, "--json")
    assert result.exit_code == 2 and "?dtype=bfloat16" in result.json["error"]
    # Told to take a smaller format, it is tried.
    assert quickfill("complete", "code.py:1", "--model", f"{folder}?dtype=bfloat16", "--max-tokens", 2).exit_code in (
        0,
        5,
    )


def test_an_autoregressive_model_runs_on_the_processor_in_int8():
    assert where_it_fits(NEEDS, NEEDS["int8"], [], "int8") == "CPU, int8"
    assert where_it_fits(NEEDS, NEEDS["int8"] - 0.1, [], "int8") == "no"
