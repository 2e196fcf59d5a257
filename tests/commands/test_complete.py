"""`quickfill complete` around the engine: what it asks, prints, writes, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from coder.api.completion import UNCONSTRAINED, Constraints, Template
from coder.errors import CheckpointError, InputError, MissingDependencyError
from tests.commands.results import Quickfill
from tests.scripted import ScriptedModel, completion

CODE = "def area(width, height):\n\n\nprint(area(2, 3))\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shapes.py"
    path.write_bytes(CODE.encode())
    return path


def test_the_hole_is_at_the_position(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    quickfill("complete", f"{file}:1:10")
    quickfill("complete", f"{file}:1")
    quickfill("complete", file, "--at", "2:1")
    assert [(request.prefix, request.suffix) for request in engine.requests] == [
        (CODE[:9], CODE[9:]),
        (CODE[:24], CODE[24:]),
        (CODE[:25], CODE[25:]),
    ]
    assert {request.where.path for request in engine.requests} == {str(file)}


def test_standard_input_ends_with_the_hole_unless_told_otherwise(quickfill: Quickfill, engine: ScriptedModel):
    assert quickfill("complete", "-", stdin=CODE.encode()).stdout == "answer"
    quickfill("complete", "-", "--at", "1", stdin=CODE.encode())
    assert [request.prefix for request in engine.requests] == [CODE, CODE[:24]]
    assert engine.requests[0].where.path is None


def test_options_reach_the_engine(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    settings = "--policy factor --canvas 8 --max-tokens 9 --temperature 0.5 --top-p 0.8 --seed 7 --samples 2".split()
    quickfill("complete", f"{file}:2", *settings, "--deadline-ms", "250", "--language", "go")
    request = engine.requests[0]
    assert (request.decoding.policy, request.decoding.canvas_size, request.decoding.max_tokens) == ("factor", 8, 9)
    assert (request.decoding.temperature, request.decoding.top_p, request.decoding.seed, request.samples) == (
        0.5,
        0.8,
        7,
        2,
    )
    assert (request.decoding.deadline_ms, request.where.language) == (250.0, "go")


def test_a_workspace_is_indexed_only_where_one_is_named(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    quickfill("complete", f"{file}:2")
    quickfill("complete", f"{file}:2", "--workspace", file.parent)
    assert [request.where.workspace for request in engine.requests] == [None, str(file.parent)]
    refused = quickfill("complete", f"{file}:2", "--workspace", file)
    assert (refused.exit_code, "is no folder" in refused.stderr) == (2, True)


def test_remasking_reaches_the_engine(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    quickfill("complete", f"{file}:2", "--remask", "syntax:3")
    quickfill("complete", f"{file}:2")
    assert [request.remasking for request in engine.requests] == ["syntax:3", None]


def test_what_the_answer_has_to_be_reaches_the_engine(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    bounds = "--min-lines 2 --max-lines 3 --min-characters 4 --max-characters 50 --without ;@ --syntax".split()
    quickfill("complete", f"{file}:2", *bounds, "--template", "sorted(?, key=?)", "--mark", "?")
    quickfill("complete", f"{file}:2")
    constrained, plain = engine.requests
    assert constrained.constraints == Constraints(2, 3, 4, 50, ";@")
    assert constrained.template == Template(("sorted(", ", key=", ")"))
    assert constrained.syntax_rounds > 0
    assert (plain.constraints, plain.template, plain.syntax_rounds) == (UNCONSTRAINED, None, 0)


def test_an_answer_is_fitted_to_its_place_unless_the_raw_text_is_wanted(
    quickfill: Quickfill, engine: ScriptedModel, file: Path
):
    quickfill("complete", f"{file}:1:10")
    quickfill("complete", f"{file}:1:10", "--samples", "2")
    quickfill("complete", f"{file}:1", "--raw")
    assert [request.shape for request in engine.requests] == ["auto", "auto", "raw"]


def test_the_model_sees_line_feeds_whatever_the_file_has(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    file.write_bytes(CODE.replace("\n", "\r\n").encode())
    quickfill("complete", f"{file}:2")
    assert engine.requests[0].prefix + engine.requests[0].suffix == CODE


def test_a_program_reads_the_text_alone(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    engine.answers = [completion("    return 'ü'\n")]
    result = quickfill("complete", f"{file}:2")
    assert (result.exit_code, result.stdout) == (0, "    return 'ü'\n")


def test_a_person_sees_the_text_in_its_place(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    other = completion("    return None")
    engine.answers = [completion("    return width * height", alternatives=(other,))]
    result = quickfill("complete", f"{file}:2", terminal=True)
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    assert lines[0].split(maxsplit=1) == ["1", "def area(width, height):"]
    assert lines[1].split(maxsplit=1) == ["2", "return width * height"]
    assert "4 tokens in 2 passes, 0.50 s, confidence 0.75, threshold(0.9), canvas 16" in result.stdout
    assert "return None" in result.stdout


def test_json_is_one_object_with_everything(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    engine.answers = [completion("first", alternatives=(completion("second"),))]
    answer = quickfill("complete", f"{file}:2", "--json", "--watch").json
    alternative = answer.pop("alternatives")[0]
    assert alternative["text"] == "second"
    assert answer == {
        "text": "first",
        "finish_reason": "end",
        "replaces": 0,
        "tokens": 4,
        "passes": 2,
        "seconds": 0.5,
        "tokens_per_pass": 2.0,
        "confidence": 0.75,
        "policy": "threshold(0.9), canvas 16",
        "model": "fake",
        "parses": False,
        "file": str(file),
        "line": 2,
        "column": 1,
        "backup": None,
    }


@pytest.mark.parametrize(("text", "parses"), [("    return width * height", True), ("    return (width *", False)])
def test_json_tells_whether_the_completed_file_parses(
    quickfill: Quickfill, engine: ScriptedModel, file: Path, text: str, parses: bool
):
    engine.answers = [completion(text)]
    assert quickfill("complete", f"{file}:2", "--json").json["parses"] is parses


def test_a_language_without_a_grammar_is_not_judged(quickfill: Quickfill, engine: ScriptedModel, tmp_path: Path):
    notes = tmp_path / "notes.unknown"
    notes.write_text("(((")
    assert quickfill("complete", f"{notes}:1", "--json").json["parses"] is None


def test_apply_writes_the_file_and_keeps_the_old_one(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    file.write_bytes(b"\tcall(1\r\n\tend\r\n")
    engine.answers = [completion(",\n\t2")]
    result = quickfill("complete", f"{file}:1", "--apply")
    assert file.read_bytes() == b"\tcall(1,\r\n\t2\r\n\tend\r\n"
    backup = file.with_name("shapes.py.bak")
    assert backup.read_bytes() == b"\tcall(1\r\n\tend\r\n"
    assert str(backup) in result.stderr


def test_replaced_brackets_give_way(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    file.write_bytes(b"call()\nnext\n")
    engine.answers = [completion("1, 2)\nmore()", replaces=1)]
    assert quickfill("complete", f"{file}:1:6", "--apply", "--json").json["replaces"] == 1
    assert file.read_bytes() == b"call(1, 2)\nmore()\nnext\n"


def test_without_apply_nothing_is_written(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    quickfill("complete", f"{file}:2")
    assert [path.read_text() for path in file.parent.iterdir()] == [CODE]


@pytest.mark.parametrize("text", ["", " \n "])
def test_nothing_to_suggest_has_its_exit_code_and_writes_nothing(
    quickfill: Quickfill, engine: ScriptedModel, file: Path, text: str
):
    engine.answers = [completion(text)]
    result = quickfill("complete", f"{file}:2", "--apply", "--json")
    assert (result.exit_code, result.json["text"], result.json["backup"]) == (5, text, None)
    assert quickfill("complete", f"{file}:2").exit_code == 5
    assert [path.read_text() for path in file.parent.iterdir()] == [CODE]


def test_an_early_stop_is_mentioned(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    engine.answers = [completion("half", finish_reason="deadline")]
    result = quickfill("complete", f"{file}:2")
    assert (result.exit_code, result.stdout) == (0, "half")
    assert "deadline" in result.stderr


def test_an_interrupt_stops_the_engine_and_leaves_the_file(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    engine.interrupted = True
    result = quickfill("complete", f"{file}:2", "--apply", "--watch")
    assert result.exit_code == 130
    assert engine.cancelled is not None and engine.cancelled.is_set()
    assert [path.read_text() for path in file.parent.iterdir()] == [CODE]
    assert quickfill("complete", f"{file}:2", "--json").json == {"error": "interrupted", "exit_code": 130}


def test_watching_draws_a_canvas_and_prints_the_text(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    result = quickfill("complete", f"{file}:2", "--watch")
    assert result.stdout == "answer"
    assert "pass   1" in result.stderr
    assert "ans" in result.stderr
    assert engine.requests[0].decoding.policy == "threshold"
    quickfill("complete", f"{file}:2", "--watch", "--policy", "verified")
    assert engine.requests[1].decoding.policy == "verified"


@pytest.mark.parametrize("kind", [InputError, CheckpointError, MissingDependencyError])
def test_errors_are_one_line_and_an_exit_code(quickfill: Quickfill, broken_checkpoint, file: Path, kind):
    error = kind("what is wrong; what to do")
    broken_checkpoint(error)
    result = quickfill("complete", f"{file}:2")
    assert (result.exit_code, result.stdout, result.stderr) == (error.exit_code, "", f"error: {error}\n")
    result = quickfill("complete", f"{file}:2", "--json")
    assert result.exit_code == error.exit_code
    assert result.json == {"error": str(error), "exit_code": error.exit_code}


@pytest.mark.parametrize(
    "arguments",
    [
        ["complete"],
        ["complete", "shapes.py:1", "--canvas", "none"],
        ["complete", "shapes.py:1", "--samples", "0"],
        ["complete", "shapes.py:1", "--wrong"],
        ["complete", "shapes.py:1", "--max-lines", "0"],
        ["complete", "shapes.py:1", "--template", "nothing is free"],
        ["complete", "shapes.py:1", "--runtime", "abacus"],
        ["complete", "shapes.py"],
        ["complete", "missing.py:1"],
        ["complete", "-", "--apply"],
        ["complete", "-", "--at", "none"],
        ["complte", "shapes.py:1"],
    ],
)
def test_bad_usage_is_exit_code_2_in_both_forms(quickfill: Quickfill, engine: ScriptedModel, file: Path, arguments):
    result = quickfill(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr
    in_json = quickfill(*arguments, "--json")
    assert (in_json.exit_code, in_json.json["exit_code"]) == (2, 2)
    assert in_json.json["error"]
    assert not engine.requests


def test_where_no_line_was_complete_in_time_that_is_said(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    engine.answers = [completion("", finish_reason="deadline")]
    result = quickfill("complete", f"{file}:2")
    assert (result.exit_code, result.stdout) == (5, "")
    assert "no line was complete at the deadline; raise --deadline-ms" in result.stderr
    assert "nothing to suggest" not in result.stderr
