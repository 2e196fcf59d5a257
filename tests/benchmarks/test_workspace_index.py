"""The benchmark of the workspace index cuts real lines, shows nothing of them, and counts what it says it counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy")

from benchmarks.held_out_packages import HELD_OUT_PACKAGES, held_out_package
from benchmarks.workspace_index import (
    Attempt,
    code_lines,
    compared,
    interval,
    milliseconds_per_line,
    next_lines,
    summary,
    write_line,
)
from coder.api.completion import CanvasUpdate, CompletionRequest
from coder.context.workspace_index import WorkspaceIndex
from coder.engine.engine import Engine
from tests.scripted import completion
from tests.tiny import write_tiny_checkpoint


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("name", HELD_OUT_PACKAGES)
def test_a_line_and_what_is_around_it_are_a_file_of_the_package(name: str, inside: bool):
    lines = next_lines(held_out_package(name), 10, "lookup", inside, seed=1)
    assert len(lines) == 10
    for next_line in lines:
        request = next_line.request
        assert request.where.path is not None
        text = Path(request.where.path).read_text(encoding="utf-8")
        assert text == request.prefix + text[len(request.prefix) : len(text) - len(request.suffix)] + request.suffix
        assert text[len(request.prefix) :].startswith(next_line.line)
        assert request.suffix.startswith("\n")
        before = request.prefix.rpartition("\n")[2]
        assert bool(before.strip()) == inside


def test_only_code_is_asked_for(tmp_path: Path):
    file = tmp_path / "a.py"
    file.write_text(
        '"""A text\n\nof lines."""\n# a comment\nx = """one\ntwo"""\n\ndef f():\n    """Do."""\n    return 1\n'
    )
    assert code_lines(file) == {5, 6, 7, 8, 10}


def test_the_index_that_helps_does_not_hold_the_line_itself():
    package = held_out_package("typer")
    index = WorkspaceIndex(package.folder)
    index.refresh()
    assert index.wait()
    request = next_lines(package, 1, "lookup", False, seed=0)[0].request
    around = index.around(request.where.path, request.prefix, request.suffix)
    open_file = {
        name for name in index.around(None, "").names if Path(name) == Path(request.where.path or "").resolve()
    }
    assert open_file and not open_file & set(around.names)
    index.close()


def test_attempts_are_summed_up_and_compared_line_by_line():
    without = [Attempt(False, 6, 6), Attempt(True, 4, 4), Attempt(False, 2, 2)]
    known = [Attempt(True, 6, 2), Attempt(True, 4, 2), Attempt(True, 2, 2)]
    assert summary(known)["tokens_per_pass"] == 2.0
    figures = compared(without, known)
    assert (figures["lines_won"], figures["lines_lost"]) == (2, 0)
    assert figures["exact_gain"] == pytest.approx(2 / 3)
    assert figures["tokens_per_pass_off"] == 1.0


def test_an_interval_holds_the_mean():
    low, high = (float(bound) for bound in str(interval(np.array([0.0, 1.0] * 50))).split(" to "))
    assert 0.3 < low < 0.5 < high < 0.7
    assert interval(np.ones(1)) is None


def test_a_line_is_done_at_its_line_break_and_counts_the_passes_until_then():
    class Writer:
        left = False

        def stream(self, request: CompletionRequest) -> Iterator[object]:
            try:
                yield CanvasUpdate("re", (), 1, 1)
                yield CanvasUpdate("return 1\n", (), 2, 4)
                yield completion("return 1\nx")
            finally:
                self.left = True

    engine = Writer()
    attempt = write_line(engine, CompletionRequest("", ""), "return 1")  # type: ignore[arg-type]
    assert attempt == Attempt(True, 4, 2)
    assert engine.left


def test_the_index_is_timed_on_its_own(tmp_path: Path):
    engine = Engine.load(str(write_tiny_checkpoint(tmp_path)), runtime="onnx", threads=1)
    assert milliseconds_per_line(engine, held_out_package("pathspec"), 2, False, 0) > 0
    engine.close()
