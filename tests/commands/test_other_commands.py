"""`generate`, `score`, `info`, and the command as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.results import Quickfill
from tests.scripted import ScriptedModel, completion


def test_generate_fills_the_parameters_then_the_body(quickfill: Quickfill, engine: ScriptedModel):
    engine.answers = [completion("text):"), completion("    return text[::-1]")]
    result = quickfill("generate", "reverse a string", "--policy", "verified")
    assert result.stdout == 'def reverse_string(text):\n    """Reverse a string."""\n    return text[::-1]'
    signature, body = engine.requests
    assert (signature.prefix, signature.suffix) == ("def reverse_string(", '):\n    """Reverse a string."""\n')
    assert (body.decoding.policy, body.where.language) == ("verified", "python")


def test_generate_continues_code_as_it_stands(quickfill: Quickfill, engine: ScriptedModel):
    result = quickfill("generate", "def area(width, height):", "--json")
    assert [request.prefix for request in engine.requests] == ["def area(width, height):\n"]
    assert (result.json["prefix"], result.json["text"]) == ("def area(width, height):\n", "answer")


def test_generate_shows_a_person_numbered_lines(quickfill: Quickfill, engine: ScriptedModel):
    lines = quickfill("generate", "# the answer", terminal=True).stdout.splitlines()
    assert [line.split() for line in lines[:2]] == [["1", "#", "the", "answer"], ["2", "answer"]]


def test_generate_says_when_there_is_nothing(quickfill: Quickfill, engine: ScriptedModel):
    engine.answers = [completion("")]
    result = quickfill("generate", "# the answer")
    assert (result.exit_code, result.stdout) == (5, "")
    assert quickfill("generate", "  ").exit_code == 2


def test_score_takes_whole_lines_out_of_the_text(quickfill: Quickfill, engine: ScriptedModel, tmp_path: Path):
    file = tmp_path / "numbers.py"
    file.write_bytes(b"one = 1\r\ntwo = 2\r\nthree = 3\r\nfour = 4\r\n")
    result = quickfill("score", f"{file}:2-3", "--json")
    assert engine.scored == [("one = 1\n", "\nfour = 4\n", "two = 2\nthree = 3")]
    assert result.json == {
        "log_probability": -6.0,
        "end_log_probability": -0.5,
        "tokens": 3,
        "perplexity": pytest.approx(7.389, abs=1e-3),
    }
    assert "3 tokens, -6.00 nats, perplexity 7.39" in quickfill("score", f"{file}:2").stdout


@pytest.mark.parametrize("lines", ["numbers.py:2-9", "numbers.py:3-2", "numbers.py", "missing.py:1"])
def test_score_refuses_lines_that_are_not_there(
    quickfill: Quickfill, engine: ScriptedModel, tmp_path: Path, lines: str
):
    (tmp_path / "numbers.py").write_text("one = 1\ntwo = 2\n")
    assert quickfill("score", lines).exit_code == 2


def test_info_names_model_runtime_machine_and_versions(quickfill: Quickfill, engine: ScriptedModel):
    facts = quickfill("info", "--json").json
    assert facts["model"]["version"] == "v0"
    assert facts["model"]["can_edit"] is True
    assert facts["runtime"] == {"runtime": "none"}
    assert facts["machine"]["peak_memory_mb"] > 10
    assert {"python", "quickfill", "numpy"} <= facts["versions"].keys()
    text = quickfill("info").stdout
    assert "peak memory mb" in text
    assert "canvas sizes" in text


def test_info_says_what_the_index_of_a_workspace_holds(quickfill: Quickfill, engine: ScriptedModel, tmp_path: Path):
    (tmp_path / "numbers.py").write_text("one = 1\n")
    (tmp_path / ".env").write_text("PASSWORD=1\n")
    facts = quickfill("info", "--json", "--workspace", tmp_path).json["workspace"]
    assert (facts["folder"], facts["files"], facts["complete"]) == (str(tmp_path.resolve()), 1, True)
    assert "workspace" not in quickfill("info", "--json").json
    assert quickfill("info", "--workspace", tmp_path / "nowhere").exit_code == 2


def test_help_teaches(quickfill: Quickfill):
    overview = quickfill("--help")
    assert overview.exit_code == 0
    for word in ("complete", "generate", "score", "info", "Exit codes", "quickfill complete app.py:12 --watch"):
        assert word in overview.stdout
    assert "quickfill complete app.py:12 --apply" in quickfill("complete", "--help").stdout


def test_version(quickfill: Quickfill):
    result = quickfill("--version")
    assert (result.exit_code, result.stdout.split()[0]) == (0, "quickfill")


def test_generate_tells_a_model_that_follows_instructions_what_is_wanted(quickfill: Quickfill, engine: ScriptedModel):
    engine.instructions = True
    result = quickfill("generate", "reverse a string", "--language", "go")
    (request,) = engine.requests
    assert "reverse a string" in request.conversation[-1].text
    assert request.prefix == "```go\n"
    assert result.stdout == "answer"


def test_generate_has_code_completed_by_a_model_that_follows_instructions(quickfill: Quickfill, engine: ScriptedModel):
    engine.instructions = True
    result = quickfill("generate", "def area(width, height):")
    (request,) = engine.requests
    assert request.prefix == "```python\ndef area(width, height):\n"
    assert result.stdout == "def area(width, height):\nanswer"
