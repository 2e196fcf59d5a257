"""`quickfill repair` and `quickfill edit`, with an engine that writes `right` for `wrong`."""

from __future__ import annotations

from pathlib import Path

import pytest

from coder.api.text_requests import EditRequest, RepairRequest
from tests.commands.results import Quickfill
from tests.scripted import ScriptedModel

CODE = "first\nis wrong\nlast\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "code.py"
    path.write_bytes(CODE.encode())
    return path


def test_the_region_is_the_file_or_whole_lines(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    for target in (file, f"{file}:2", f"{file}:2-3"):
        quickfill("repair", target)
    assert [(request.start, request.end) for request in engine.edit_requests] == [(0, 20), (6, 14), (6, 19)]
    quickfill("edit", f"{file}:2", "make it right", "--max-tokens", "9", "--policy", "threshold")
    request = engine.edit_requests[-1]
    assert isinstance(request, EditRequest)
    assert (request.start, request.end, request.instruction) == (6, 14, "make it right")
    assert (request.decoding.max_tokens, request.decoding.policy, request.where.path) == (9, "threshold", str(file))


def test_what_is_said_to_be_wrong_is_a_diagnostic(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    quickfill("repair", f"{file}:2", "--wrong", "--deadline-ms", "250", "--language", "go")
    request = engine.edit_requests[0]
    assert isinstance(request, RepairRequest)
    assert [(each.start, each.end) for each in request.diagnostics] == [(6, 14)]
    assert (request.decoding.deadline_ms, request.where.language) == (250.0, "go")


@pytest.mark.parametrize("arguments", [["repair"], ["edit", "do it"]])
def test_without_apply_there_is_a_diff(quickfill: Quickfill, engine: ScriptedModel, file: Path, arguments):
    command, *instruction = arguments
    for terminal in (False, True):
        result = quickfill(command, f"{file}:2", *instruction, terminal=terminal)
        assert result.exit_code == 0
        assert {"-is wrong", "+is right"} <= {line.rstrip() for line in result.stdout.splitlines()}
    assert "1 change, +7.0 nats, 5 passes, 0.25 s" in result.stderr
    assert file.read_text() == CODE


def test_an_answer_that_cannot_be_used_is_said_to_be_none(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    engine.unused = "the answer is too long"
    result = quickfill("edit", f"{file}:2", "do it", "--apply")
    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr.endswith("nothing is changed: the answer is too long\n")
    assert file.read_text() == CODE


def test_apply_changes_only_what_changes_and_keeps_the_old_file(
    quickfill: Quickfill, engine: ScriptedModel, file: Path
):
    content = b"\xef\xbb\xbffirst\r\nis wrong\nlast \xc3\xa9 wrong\r\n"
    file.write_bytes(content)
    engine.replacement = ("wrong", "right\nor")
    result = quickfill("repair", file, "--apply")
    assert file.read_bytes() == content.replace(b"wrong", b"right\r\nor")
    assert file.with_name("code.py.bak").read_bytes() == content
    assert "code.py.bak" in result.stderr


def test_json_has_the_changes(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    answer = quickfill("repair", file, "--json").json
    assert answer["text"] == CODE.replace("wrong", "right")
    assert answer["changes"] == [{"start": 9, "end": 14, "text": "right"}]
    assert (answer["score_before"], answer["score_after"], answer["passes"]) == (-9.0, -2.0, 5)
    assert (answer["parses"], answer["backup"], answer["file"], answer["model"]) == (False, None, str(file), "fake")


def test_nothing_to_change_is_said(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    engine.replacement = ("absent", "absent")
    repaired = quickfill("repair", file, "--apply")
    assert (repaired.exit_code, repaired.stdout) == (0, "")
    assert "nothing to repair" in repaired.stderr
    assert quickfill("edit", f"{file}:1", "--apply").exit_code == 5
    assert [path.name for path in file.parent.iterdir()] == ["code.py"]


def test_standard_input_is_read_but_not_written(quickfill: Quickfill, engine: ScriptedModel):
    assert "+is right" in quickfill("repair", "-", stdin=CODE.encode()).stdout
    assert engine.edit_requests[0].where.path is None
    assert quickfill("repair", "-", "--apply", stdin=CODE.encode()).exit_code == 2


def test_an_interrupt_stops_the_engine(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    engine.interrupted = True
    assert quickfill("repair", file, "--apply").exit_code == 130
    assert engine.cancelled is not None and engine.cancelled.is_set()
    assert file.read_text() == CODE


@pytest.mark.parametrize("target", ["missing.py", "code.py:9", "code.py:2-1"])
def test_bad_places_are_exit_code_2(quickfill: Quickfill, engine: ScriptedModel, file: Path, target):
    assert quickfill("repair", target).exit_code == 2
    assert quickfill("edit", target).exit_code == 2
    assert not engine.edit_requests
