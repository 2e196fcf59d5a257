"""The batching benchmark measures every method at every width."""

from __future__ import annotations

from pathlib import Path

from benchmarks.batching import METHODS, WIDTHS, measure
from coder.engine.engine import Engine
from tests.tiny import write_tiny_checkpoint


def test_each_method_and_width_has_a_row(tmp_path: Path):
    engine = Engine.load(str(write_tiny_checkpoint(tmp_path)), runtime="onnx", threads=1)
    rows = measure(engine, METHODS[:1], count=3, rounds=1, progress=lambda _: None)
    engine.close()
    assert [(row["policy"], row["together"]) for row in rows] == [
        (policy, width) for policy, _ in METHODS[:1] for width in WIDTHS
    ]
    for row in rows:
        assert isinstance(row["tokens_per_second"], float) and row["tokens_per_second"] > 0
        assert row["together"] != 1 or row["ratio"] == 1.0
