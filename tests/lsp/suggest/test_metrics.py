"""Counts, kept on this machine."""

from __future__ import annotations

import io
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from lsp.commands import statistics_table
from lsp.suggest.metrics import DayCounts, SuggestionMetrics, read_counts, total


def test_what_several_windows_count_adds_up(tmp_path: Path):
    for _ in range(2):
        metrics = SuggestionMetrics(tmp_path)
        metrics.count("shown", "python")
        metrics.count("accepted", "python")
        metrics.add_latency(0.2)
        metrics.flush()
        metrics.flush()
    counted = total(read_counts(tmp_path))
    assert counted.counts == {"shown": 2, "accepted": 2}
    assert counted.languages == {"python": 2}
    assert counted.latency_ms(0.5) == pytest.approx(200, rel=0.1)


def test_metrics_switched_off_write_nothing(tmp_path: Path):
    metrics = SuggestionMetrics(tmp_path)
    metrics.enabled = False
    metrics.count("shown", "python")
    metrics.flush()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_costs_the_counts_alone(tmp_path: Path):
    (tmp_path / "file").touch()
    metrics = SuggestionMetrics(tmp_path / "file")
    metrics.count("shown", "python")
    metrics.flush()


@pytest.mark.parametrize("damage", ["{", "[]", "null", '{"day":"x"}', '{"day":"2026-01-01","counts":{"a":[]}}', "\xff"])
def test_damaged_lines_count_for_nothing(tmp_path: Path, damage: str):
    tally = DayCounts(date(2026, 1, 2))
    tally.counts["shown"] = 3
    (tmp_path / "metrics-2026-01.jsonl").write_text(f"{damage}\n{tally.to_json()}\n", encoding="latin-1")
    assert total(read_counts(tmp_path)).counts == {"shown": 3}


@given(st.lists(st.floats(0.001, 100.0), min_size=1), st.floats(0.01, 1.0))
def test_percentiles_are_near_the_exact_ones(seconds, share):
    tally = DayCounts(date(2026, 1, 1))
    for value in seconds:
        tally.add_latency(value)
    exact = sorted(seconds)[max(0, -int(-share * len(seconds) // 1) - 1)] * 1000
    assert tally.latency_ms(share) == pytest.approx(exact, rel=0.1)


def test_no_answers_have_no_percentile():
    assert DayCounts(date(2026, 1, 1)).latency_ms(0.5) is None


def test_the_table_counts_by_period():
    days = [date(2026, 3, 10), date(2026, 3, 4), date(2026, 3, 3), date(2025, 1, 1)]
    tallies = [DayCounts(day) for day in days]
    for tally in tallies:
        tally.counts.update(shown=10, accepted=3)
        tally.add_latency(0.25)
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(statistics_table(tallies, today=days[0]))
    rows = [re.split(" {2,}", line) for line in console.export_text().splitlines()[3:]]
    assert [row[:3] for row in rows] == [
        ["today", "10", "3"],
        ["7 days", "20", "6"],
        ["30 days", "30", "9"],
        ["ever", "40", "12"],
    ]
    assert rows[0][6:] == ["30%", "256", "256"]


def test_the_table_s_headings_are_whole_in_a_terminal_of_eighty_columns():
    tally = DayCounts(date(2026, 3, 10))
    tally.counts.update(shown=12345, accepted=1234, partially_accepted=123, typed=1234, dismissed=12345)
    tally.add_latency(1.25)
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(statistics_table([tally], today=date(2026, 3, 10)))
    headings = ["shown", "accepted", "partially", "typed", "dismissed", "rate", "p50 ms", "p95 ms"]
    assert re.split(" {2,}", console.export_text().splitlines()[1].strip()) == headings
