"""The startup benchmark measures new processes and says when one fails."""

from pathlib import Path

import pytest

from benchmarks.prompts import ROOT
from benchmarks.startup import COMPLETE, LOAD, forget_files, run_child
from tests.tiny import write_tiny_checkpoint


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_checkpoint(tmp_path_factory.mktemp("tiny"), quantized=True)


def test_imports_and_loading_are_timed_apart(tiny: Path):
    times = run_child(LOAD, str(tiny))
    assert times.keys() == {"import_coder", "import_engine", "load"}
    assert all(seconds > 0 for seconds in times.values())


def test_a_completion_tells_its_time_and_memory(tiny: Path):
    target = str(ROOT / "examples" / "averages.py") + ":24"
    figures = run_child(
        COMPLETE, "complete", target, "--json", "--model", str(tiny), "--max-tokens", "2", "--policy", "autoregressive"
    )
    assert figures["seconds"] > 0
    assert 10e6 < figures["peak_bytes"] < 2e9


def test_a_process_that_fails_is_reported_with_what_it_said(tmp_path: Path):
    with pytest.raises(RuntimeError, match="missing"):
        run_child(LOAD, str(tmp_path))


def test_forgetting_files_leaves_them_as_they_are(tiny: Path):
    before = {file.name: file.read_bytes() for file in tiny.iterdir()}
    forget_files(tiny)
    assert {file.name: file.read_bytes() for file in tiny.iterdir()} == before
