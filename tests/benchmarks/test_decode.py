"""The decoding benchmark runs on a tiny checkpoint and reports what its readers rely on."""

import json
from pathlib import Path

import pytest

from benchmarks import decode
from benchmarks.decode import POLICIES, DecodingBenchmark, Plan
from benchmarks.passes import layer_shapes
from coder.model.checkpoint.checkpoint import Checkpoint
from tests.tiny import open_tiny_checkpoint

TINY = Plan(
    contexts=(24, 48),
    canvases=(4, 8),
    main_context=48,
    main_canvas=8,
    prompts=2,
    rounds=1,
    max_tokens=6,
    pass_rounds=1,
    lines=2,
)

HEADLINE = {
    "autoregressive_tokens_per_second",
    "threshold_tokens_per_second",
    "verified_tokens_per_second",
    "auto_tokens_per_second",
    "llama_cpp_q8_0_tokens_per_second",
    "llama_cpp_base_tokens_per_second",
    "one_token_ms",
    "canvas_16_ms",
    "products_17_ms",
    "keystroke_pass_ms",
    "first_line_ms",
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return open_tiny_checkpoint(tmp_path_factory.mktemp("tiny"), quantized=True)


@pytest.fixture
def without_llama_cpp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.decode.find_spec", lambda name: None)


@pytest.mark.usefixtures("without_llama_cpp")
def test_every_figure_is_there_and_every_method_is_measured(checkpoint: Checkpoint):
    heard: list[str] = []
    report = DecodingBenchmark(checkpoint, TINY, threads=1).report(heard.append)
    assert report.figures.keys() == HEADLINE
    for file in ("q8_0", "base"):
        assert report.figures.pop(f"llama_cpp_{file}_tokens_per_second") is None
    assert all(value is not None and value > 0 for value in report.figures.values())
    assert len(heard) == 4
    measured = {(row["context"], row["method"], row["canvas"]) for row in report.tables["decoding"]}
    assert measured == {
        (context, method, None) for context in (24, 48) for method in ("autoregressive", "auto", "lookup:4")
    } | {(context, policy, canvas) for context in (24, 48) for policy in POLICIES for canvas in (4, 8)}


@pytest.mark.usefixtures("without_llama_cpp")
def test_drafts_are_counted_for_every_method_that_verifies_them(checkpoint: Checkpoint):
    tables = DecodingBenchmark(checkpoint, TINY, threads=1).report(lambda stage: None).tables
    rows = {(row["context"], row["canvas"]): row for row in tables["acceptance"]}
    assert rows.keys() == {(context, canvas) for context in (24, 48) for canvas in (4, 8, None)}
    for (_, canvas), row in rows.items():
        counts = row["accepted_by_count"]
        assert isinstance(counts, dict)
        assert sum(counts.values()) == row["verifications"]
        assert counts
        assert all(0 <= accepted <= (canvas or 4) for accepted in counts)


@pytest.mark.usefixtures("without_llama_cpp")
def test_the_command_writes_its_figures_to_a_file(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(decode, "QUICK", TINY)
    file = tmp_path / "figures.json"
    decode.main(file, quick=True, model=str(checkpoint.folder), threads=1)
    assert json.loads(file.read_text()).keys() == HEADLINE | {"auto", "runtime", "machine", "tables"}
    assert "autoregressive" in capsys.readouterr().out


def test_the_bare_products_are_all_matrices_of_a_layer(checkpoint: Checkpoint):
    config = checkpoint.config
    matrices = [tensor.shape for name, tensor in checkpoint.stored.items() if ".0." in name and len(tensor.shape) == 2]
    assert sum(depth * width for depth, width in layer_shapes(config)) == sum(
        rows * columns for rows, columns in matrices
    )
