"""The packing benchmark measures a run and says what was packed."""

from __future__ import annotations

from pathlib import Path

from benchmarks.pack import measure, shares
from coder.train.packed_rows import read_card
from data.pack.batches import batches
from data.pack.packing import PackingJob
from data.pack.settings import PackSettings
from tests.tiny import write_tiny_checkpoint

ROOT = Path(__file__).parents[2]


def test_rates_and_shares_are_of_what_was_packed(tmp_path: Path):
    write_tiny_checkpoint(tmp_path / "model")
    job = PackingJob(tmp_path / "model", tmp_path / "rows", PackSettings(row_length=2048))
    figures = measure(list(batches([ROOT / "coder" / "diffusion"])), job, 1)
    assert figures.keys() == {"tokens_per_second", "megabytes_per_second", "peak_mb"}
    assert figures["tokens_per_second"] > figures["megabytes_per_second"] > 0
    rows = shares(read_card(job.out))
    assert abs(sum(float(str(row["documents"])) for row in rows) - 1) < 1e-9
