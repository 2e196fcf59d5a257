"""`quickfill fill` around the engine: where the holes are, what is printed and written, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from coder.api.completion import Constraints
from tests.commands.results import Quickfill
from tests.scripted import ScriptedModel, completion

CODE = "def mean(values):\n    return <fill> / <fill>\n"
FILLED = "def mean(values):\n    return sum(values) / len(values)\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "numbers.py"
    path.write_bytes(CODE.encode())
    return path


@pytest.fixture(autouse=True)
def answers(engine: ScriptedModel) -> None:
    engine.answers = [completion("sum(values)"), completion("len(values)")]


def test_every_mark_is_a_hole(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    result = quickfill("fill", file)
    assert (result.exit_code, result.stdout) == (0, FILLED)
    (request,) = engine.fills
    assert request.texts == ("def mean(values):\n    return ", " / ", "\n")
    assert request.where.path == str(file)
    assert file.read_bytes() == CODE.encode()


def test_a_mark_can_be_anything(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    file.write_text("x = ??? + <fill>\n")
    assert quickfill("fill", file, "--mark", "???").stdout == "x = sum(values) + <fill>\n"


def test_standard_input_is_filled_to_standard_output(quickfill: Quickfill, engine: ScriptedModel):
    assert quickfill("fill", "-", stdin=CODE.encode()).stdout == FILLED
    assert engine.fills[0].where.path is None


def test_options_reach_the_engine(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    settings = "--policy factor --canvas 8 --max-tokens 9 --temperature 0.5 --top-p 0.8 --seed 7".split()
    bounds = "--deadline-ms 250 --language go --max-lines 2 --max-characters 30 --without ;".split()
    quickfill("fill", file, *settings, *bounds)
    (request,) = engine.fills
    assert (request.decoding.policy, request.decoding.canvas_size, request.decoding.max_tokens) == ("factor", 8, 9)
    assert (request.decoding.temperature, request.decoding.top_p, request.decoding.seed) == (0.5, 0.8, 7)
    assert (request.decoding.deadline_ms, request.where.language) == (250.0, "go")
    assert request.constraints == Constraints(max_lines=2, max_characters=30, without=";")


def test_apply_keeps_every_other_byte_and_the_old_file(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    file.write_bytes(b"\xef\xbb\xbf\tx = <fill>\r\n\ty = <fill>\r")
    engine.answers = [completion("1"), completion("[\n\t2]")]
    result = quickfill("fill", file, "--apply")
    assert file.read_bytes() == b"\xef\xbb\xbf\tx = 1\r\n\ty = [\r\n\t2]\r"
    backup = file.with_name("numbers.py.bak")
    assert backup.read_bytes() == b"\xef\xbb\xbf\tx = <fill>\r\n\ty = <fill>\r"
    assert str(backup) in result.stderr
    assert engine.fills[0].texts == ("\tx = ", "\n\ty = ", "\n")


def test_json_has_the_text_and_each_hole(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    answer = quickfill("fill", file, "--json", "--watch").json
    holes = answer.pop("holes")
    assert [(hole["text"], hole["line"], hole["column"]) for hole in holes] == [
        ("sum(values)", 2, 12),
        ("len(values)", 2, 21),
    ]
    assert all(hole["finish_reason"] == "end" and hole["confidence"] == 0.75 for hole in holes)
    assert answer == {
        "text": FILLED,
        "joint": False,
        "passes": 4,
        "seconds": 0.5,
        "model": "fake",
        "parses": True,
        "file": str(file),
        "backup": None,
    }


def test_a_person_sees_the_answers_in_their_places(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    result = quickfill("fill", file, terminal=True)
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    assert lines[1].split(maxsplit=1) == ["2", "return sum(values) / len(values)"]
    assert "2 holes, one after the other: 8 tokens in 4 passes, 0.50 s" in result.stdout


def test_watching_draws_the_holes(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    result = quickfill("fill", file, "--watch")
    assert result.stdout == FILLED
    assert "hole 1  pass   1" in result.stderr
    assert engine.fills[0].decoding.policy == "threshold"


def test_where_no_hole_gets_anything_nothing_is_written(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    engine.answers = [completion(""), completion(" \n")]
    result = quickfill("fill", file, "--apply")
    assert result.exit_code == 5
    assert [path.read_text() for path in file.parent.iterdir()] == [CODE]
    engine.answers = [completion(""), completion("1")]
    assert quickfill("fill", file).exit_code == 0


def test_an_early_stop_is_mentioned_with_its_hole(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    engine.answers = [completion("x"), completion("y", finish_reason="deadline")]
    result = quickfill("fill", file)
    assert "note: hole 2 stopped at the deadline" in result.stderr
    assert "hole 1" not in result.stderr


def test_holes_for_which_there_was_no_time_are_named(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    late = completion("", finish_reason="deadline")
    engine.answers = [completion("x"), late]
    result = quickfill("fill", file)
    assert (result.exit_code, result.stdout) == (0, "def mean(values):\n    return x / \n")
    assert "note: hole 2 is empty: no line was complete at the deadline; raise --deadline-ms" in result.stderr
    engine.answers = [late, late]
    result = quickfill("fill", file, "--apply")
    assert (result.exit_code, file.read_text()) == (5, CODE)
    assert result.stderr.count("no line was complete at the deadline; raise --deadline-ms") == 1
    assert "nothing to suggest" not in result.stderr


def test_an_interrupt_stops_the_engine_and_leaves_the_file(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    engine.interrupted = True
    assert quickfill("fill", file, "--apply").exit_code == 130
    assert engine.cancelled is not None and engine.cancelled.is_set()
    assert [path.read_text() for path in file.parent.iterdir()] == [CODE]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fill", "numbers.py", "--mark", "???"], "there is no ??? in numbers.py"),
        (["fill", "numbers.py", "--mark", ""], "empty mark"),
        (["fill", "missing.py"], "does not exist"),
        (["fill", "-", "--apply"], "standard input has none"),
        (["fill", "numbers.py", "--samples", "2"], "--samples"),
    ],
)
def test_bad_usage_is_explained(quickfill: Quickfill, engine: ScriptedModel, file: Path, arguments, message: str):
    result = quickfill(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert quickfill(*arguments, "--json").json["exit_code"] == 2
    assert not engine.fills
