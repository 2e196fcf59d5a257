"""`quickfill doctor`: the page, its exit code, and its JSON."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from coder.commands import doctor
from coder.doctor.findings import Finding
from coder.errors import CheckpointError, QuickfillError
from tests.commands.results import Quickfill
from tests.scripted import ScriptedModel

PARTS = {"installation", "folders", "machine", "editors", "language server", "benchmarks", "extras", "model"}
KEYS = {"part", "name", "status", "summary", "remedy"}


def test_every_part_is_examined(quickfill: Quickfill, engine: ScriptedModel):
    findings = quickfill("doctor", "--json").json["findings"]
    assert {finding["part"] for finding in findings} == PARTS
    assert all(finding.keys() == KEYS for finding in findings)
    named = {finding["name"] for finding in findings}
    assert {"versions", "cache", "processor", "GPU", "sandbox", "initialize", "model", "runtime", "speed"} <= named


def test_what_fails_has_a_remedy_and_the_exit_code_says_so(
    quickfill: Quickfill, broken_checkpoint: Callable[[QuickfillError], None]
):
    broken_checkpoint(CheckpointError("the weights are damaged; install it again"))
    result = quickfill("doctor", "--json")
    failed = [finding for finding in result.json["findings"] if finding["status"] == "fails"]
    assert (result.exit_code, result.json["works"]) == (1, False)
    assert "the weights are damaged; install it again" in [finding["remedy"] for finding in failed]
    assert all(finding["remedy"] for finding in failed)


def test_without_the_model_nothing_is_loaded(quickfill: Quickfill, broken_checkpoint):
    broken_checkpoint(CheckpointError("it must not be loaded"))
    parts = {finding["part"] for finding in quickfill("doctor", "--no-model", "--json").json["findings"]}
    assert parts == PARTS - {"model"}


def test_the_page_has_a_heading_for_each_part_and_a_remedy_under_its_line(
    quickfill: Quickfill, monkeypatch: pytest.MonkeyPatch
):
    findings = [
        Finding("model", "model", "works", "embedded"),
        Finding("model", "speed", "fails", "2 tokens a second", "use another machine"),
        Finding("extras", "torch", "optional", "without torch", "install it"),
    ]
    monkeypatch.setattr(doctor, "examine", lambda model: iter(findings))
    result = quickfill("doctor")
    assert result.exit_code == 1
    assert result.stdout == (
        "model\n"
        "  ✓ model         embedded\n"
        "  ✗ speed         2 tokens a second\n"
        "                  → use another machine\n"
        "\n"
        "extras\n"
        "  · torch         without torch\n"
        "                  → install it\n"
        "\n"
        "1 work, 1 are not there and not needed, 1 fail\n"
    )
