"""`quickfill apply`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.results import Quickfill
from tests.scripted import ScriptedModel

FILE = "x = 1\r\ny = 2\r\nz = 3\r\n"
EDIT = "# ... existing code ...\ny = 5\n# ... existing code ...\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "edit.txt").write_text(EDIT)
    path = tmp_path / "code.py"
    path.write_bytes(FILE.encode())
    return path


def test_the_changes_are_shown(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    result = quickfill("apply", file, "edit.txt")
    assert result.exit_code == 0
    assert {"-y = 2", "+y = 5"} <= set(result.stdout.splitlines())
    assert result.stderr.startswith("1 change, ")
    assert file.read_bytes() == FILE.encode()


def test_apply_writes_them(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    assert quickfill("apply", file, "-", "--apply", stdin=EDIT.encode()).exit_code == 0
    assert file.read_bytes() == FILE.replace("2", "5").encode()
    assert file.with_name("code.py.bak").read_bytes() == FILE.encode()
    again = quickfill("apply", file, "edit.txt")
    assert (again.exit_code, again.stdout) == (5, "")


def test_json_has_the_text(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    answer = quickfill("apply", file, "edit.txt", "--json").json
    assert answer["text"] == "x = 1\ny = 5\nz = 3\n"
    assert answer["changes"] == [{"start": 10, "end": 11, "text": "5"}]
    assert (answer["readings"], answer["parses"]) == (1, True)


def test_the_model_is_asked_where_the_edit_is_ambiguous(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    file.write_text("def f(x):\n    return x\n\n\ndef g(x):\n    return x\n")
    result = quickfill("apply", file, "-", stdin=b"# ...\n    x += 1\n    return x\n")
    assert "x += 1" in engine.scored[-1][2] or "return x" in engine.scored[-1][2]
    assert "one of 2 readings chosen by the model" in result.stderr


def test_what_cannot_be_merged_leaves_the_file_alone(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    assert quickfill("apply", file, "-", "--apply", stdin=b"def f(:\n").exit_code == 2
    assert quickfill("apply", "-", "edit.txt").exit_code == 2
    assert file.read_bytes() == FILE.encode()


def test_a_reading_that_loses_lines_is_chosen_by_the_user(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    before = "import os\n\n\ndef a():\n    return 1\n\n\ndef b():\n    return 2\n"
    file.write_text(before)
    edit = b"import os\n\n\ndef b():\n    return 3\n"
    refused = quickfill("apply", file, "-", "--apply", stdin=edit)
    assert (refused.exit_code, file.read_text()) == (2, before)
    assert "reading 1 removes 1 line" in refused.stderr and "reading 2 removes 3 lines" in refused.stderr
    assert quickfill("apply", file, "-", "--apply", "--reading", "1", stdin=edit).stderr.startswith("1 change, ")
    assert file.read_text() == before.replace("return 2", "return 3")


def test_a_replaced_function_is_one_change(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    file.write_text("def f(x):\n    y = x + 1\n    return y\n")
    edit = b"# ...\ndef f(a, b):\n    for each in a:\n        print(each, b)\n    return b\n"
    assert quickfill("apply", file, "-", stdin=edit).stderr.startswith("1 change, ")
