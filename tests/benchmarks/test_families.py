"""The benchmark of published models compares passes of equal weights, and tells what caches change."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from benchmarks.families import (  # noqa: E402
    cache_changes,
    compare_passes,
    random_config,
    random_decoder,
    transformers_model,
)
from coder.model.runtime import Pass  # noqa: E402
from coder.model.torch.runtime import TorchRuntime  # noqa: E402
from tests.families import write_family_checkpoint  # noqa: E402

CPU = torch.device("cpu")


def test_both_sides_compute_the_same():
    decoder = random_decoder(random_config("tiny"), CPU, torch.float32)
    reference = transformers_model(decoder)
    tokens = list(range(40))
    runtime = TorchRuntime(decoder)
    found = runtime.logits(runtime.new_cache(), Pass(tokens, range(40), causal=False))
    mask = torch.zeros(1, 1, 40, 40)
    with torch.inference_mode():
        expected = reference(torch.tensor([tokens]), attention_mask=mask).logits[0]
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_a_row_for_each_length():
    (row,) = compare_passes("tiny", CPU, torch.float32, [64], rounds=1)
    assert row["positions"] == 64 and row["ours_pass_gib"] is None
    for figure in (row["ours_ms"], row["transformers_ms"], row["ratio"]):
        assert isinstance(figure, float) and figure > 0


def test_what_caches_change_is_told(tmp_path: Path):
    rows = cache_changes(str(write_family_checkpoint(tmp_path / "llada", "llada")), 2)
    assert [row["cache"] for row in rows] == ["none", "prefix", "dual"]
    assert rows[0]["same_answers"] == rows[0]["characters_alike"] == 1.0
