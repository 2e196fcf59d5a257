"""The benchmark of the corpus: every stage is measured."""

from __future__ import annotations

from pathlib import Path

from benchmarks.corpus import funnel, measure, row
from data.settings import CorpusSettings
from tests.data.trees import MIT, code, write_files


def test_every_stage_is_measured(tmp_path: Path):
    write_files(tmp_path / "mine", {"LICENSE": MIT, "a.py": code("a"), "b.py": "def f(:\n"})
    settings = CorpusSettings.model_validate({"sources": [{"kind": "folder", "path": tmp_path / "mine"}]})
    stages, card = measure(settings, tmp_path / "out", 1)
    assert [stage.name for stage in stages] == list(card.stages)
    for stage in stages:
        figures = row(stage)
        assert all(figures[name] for name in ("seconds", "MB_per_second", "MB_per_processor_second", "peak_MB"))
    assert funnel(stages[1]) == {"stage": "decode", "in": "2", "out": "1", "MB out": "0.0"}
