"""The search for the end token's bias: which holes are lines, which bias wins, and that it reaches the engine."""

from __future__ import annotations

from pathlib import Path

from benchmarks.end_bias import best_bias, kind_of, measured, with_bias
from coder.model.checkpoint.config import Ending
from coder.model.checkpoint.opening import open_checkpoint
from coder.train.infilling import Hole
from tests.train.infilling_models import write_checkpoint


def row(bias: float, exact: float) -> dict[str, object]:
    return {"bias": bias, "exact": exact}


def test_a_line_is_a_line_with_its_line_break_too():
    assert [kind_of(Hole("", middle, "")) for middle in ("a", "    a\n", "a\nb")] == ["line", "line", "block"]


def test_the_bias_with_most_exact_answers_wins_and_of_equal_ones_the_smallest():
    assert best_bias([row(0.0, 0.5), row(-1.0, 0.6), row(-1.0, 0.2), row(0.0, 0.4)]) == 0.0
    assert best_bias([row(-2.0, 0.5), row(-1.0, 0.5), row(1.5, 0.5)]) == -1.0
    assert best_bias([]) is None


def test_a_bias_reaches_the_engine_and_the_checkpoint_stays_as_it_is(tmp_path: Path):
    original = write_checkpoint(tmp_path / "original")
    changed = open_checkpoint(str(with_bias(original, tmp_path / "changed", -3.0)))
    assert changed.config.ending == Ending(line_bias=-3.0, block_bias=-3.0)
    assert open_checkpoint(str(original)).config.ending == Ending()


def test_every_kind_that_has_holes_is_filled_by_both_ways_of_decoding(tmp_path: Path):
    original = write_checkpoint(tmp_path / "original")
    rows = list(measured(str(original), 20.0, {"line": [Hole("x = ", "1", "\n")], "block": []}, 4))
    assert [(row["holes"], row["decoding"]) for row in rows] == [("line", "autoregressive"), ("line", "threshold")]
    assert [row["empty"] for row in rows] == [1.0, 1.0]
