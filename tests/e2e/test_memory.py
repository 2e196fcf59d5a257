"""The memory that the embedded model takes stays below what the documentation promises."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

import pytest

from benchmarks import memory

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "memory.md"
ROWS = dict(re.findall(r"^\| (.*?) \| .* \| .* \| ([\d,]+) MB \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
REQUESTS = 24


def promised(process: str) -> float:
    """Bytes that the documentation promises for a process."""
    return float(ROWS[process].replace(",", "")) * memory.MEGABYTE


def test_a_completion_keeps_its_bound():
    peak, _ = memory.of_completion("embedded")
    assert 0 < peak < promised("`quickfill complete`")


def test_the_shared_engine_keeps_its_bound_over_many_files(monkeypatch: pytest.MonkeyPatch):
    places = list(islice(memory.places(), REQUESTS))
    monkeypatch.setattr(memory, "places", lambda: iter(places))
    peak, requests = memory.of_shared_engine("embedded")
    assert requests == REQUESTS
    assert 0 < peak < promised("the engine that all editor windows share")
