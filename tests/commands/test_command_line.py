"""The command line as its users meet it: what is refused before a model is loaded, and output that goes elsewhere."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from coder.commands import shared
from coder.commands.terminal.source import read_source, replace_content
from coder.errors import InputError
from tests.commands.results import Quickfill
from tests.scripted import ScriptedModel, completion


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "f.py"
    file.write_text("x = 1\n")
    return file


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["complete", "f.py:1", "--policy", "klop"], "no decoding policy 'klop'"),
        (["complete", "f.py:1", "--policy", "threshold:abc"], "no decoding policy 'threshold:abc'"),
        (["complete", "f.py:1", "--policy", "threshold:2"], "a probability from 0 to 1"),
        (["complete", "f.py:1", "--policy", "fixed:0"], "from 1 to 4096 steps"),
        (["complete", "f.py:1", "--policy", "lookup:x"], "no decoding policy 'lookup:x'"),
        (["complete", "f.py:1", "--policy", "auto:3"], "no decoding policy 'auto:3'"),
        (["complete", "f.py:1", "--remask", "klop"], "no remasking 'klop'"),
        (["complete", "f.py:1", "--template", "sorted()"], "has no <fill> in it"),
        (["fill", "f.py", "--policy", "klop"], "no decoding policy 'klop'"),
        (["complete", "f.py:1", "--language", "klingon"], "'klingon' is not known"),
        (["generate", "sort", "--language", "klingon"], "'klingon' is not known"),
        (["edit", "f.py", "x"], "names no lines"),
        (["complete", "f.py:1", "--workspace", "nowhere"], "nowhere is no folder"),
        (["complete", "f.py:1", "--workspace", "f.py"], "f.py is no folder"),
        (["fill", "f.py", "--workspace", "nowhere"], "nowhere is no folder"),
        (["info", "--workspace", "nowhere"], "nowhere is no folder"),
        (["complete", "f.py:1", "--min-lines", "3", "--max-lines", "2"], "at least 3 and at most 2 lines"),
        (["fill", "f.py", "--min-characters", "3", "--max-characters", "2"], "at least 3 and at most 2 characters"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_the_model_is_loaded(
    quickfill: Quickfill,
    broken_checkpoint,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
):
    monkeypatch.chdir(file.parent)
    file.write_text("x = <fill>\n")
    broken_checkpoint(InputError("the model was loaded"))
    result = quickfill(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr and "the model was loaded" not in result.stderr


@pytest.mark.parametrize("arguments", [["complete", "f.py:1"], ["fill", "f.py"], ["repair", "f.py"]])
def test_a_deadline_counts_from_when_the_model_is_warm(
    quickfill: Quickfill, engine: ScriptedModel, file: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
):
    warmed: list[bool] = []

    def load_engine(*settings: object, warm: bool = False) -> ScriptedModel:
        warmed.append(warm)
        return engine

    monkeypatch.chdir(file.parent)
    monkeypatch.setattr(shared, "load_engine", load_engine)
    file.write_text("x = <fill>\n")
    quickfill(*arguments)
    quickfill(*arguments, "--deadline-ms", "200")
    assert warmed == [False, True]


def test_a_pipe_gets_every_answer(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    engine.answers = [completion("a", alternatives=(completion("b"), completion("c")))]
    assert quickfill("complete", f"{file}:1", "--samples", "3").stdout == "a\n--------\nb\n--------\nc"


def test_an_answer_that_breaks_the_text_comes_with_a_note(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    engine.answers = [completion(" +"), completion(" + 1")]
    assert "breaks its language's syntax" in quickfill("complete", f"{file}:1").stderr
    assert "breaks" not in quickfill("complete", f"{file}:1").stderr


def test_a_loop_is_told_without_advice_to_write_more(quickfill: Quickfill, engine: ScriptedModel, file: Path):
    engine.answers = [completion("x = 1", "loop")]
    stderr = quickfill("complete", f"{file}:1").stderr
    assert "repeat itself" in stderr and "--max-tokens" not in stderr


def test_a_disk_that_is_full_leaves_no_half_backup(file: Path, monkeypatch: pytest.MonkeyPatch):
    real = Path.open

    def full(path: Path, mode: str = "r", *more, **named):
        opened = real(path, mode, *more, **named)
        if mode == "xb":

            def refuse(content: bytes) -> int:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

            return _Refusing(opened, refuse)
        return opened

    monkeypatch.setattr(Path, "open", full)
    source = read_source(file)
    with pytest.raises(InputError, match="nothing was changed"):
        replace_content(file, source, b"y = 2\n")
    assert [path.name for path in file.parent.iterdir()] == ["f.py"]
    assert file.read_bytes() == b"x = 1\n"


class _Refusing:
    """A file that is open but takes nothing."""

    def __init__(self, file, write) -> None:
        self._file, self.write = file, write

    def __enter__(self) -> _Refusing:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_standard_output_that_takes_nothing_is_an_error_of_one_line():
    with Path("/dev/full").open("wb") as full:
        quickfill = [str(Path(sys.executable).with_name("quickfill")), "--version"]
        done = subprocess.run(quickfill, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr.strip() == "error: the answer cannot be written: No space left on device"


@pytest.mark.parametrize(("command", "flag"), [([], "--version"), (["complete"], "--watch"), (["lsp"], "--stats")])
def test_help_shows_no_type_for_a_flag(quickfill: Quickfill, command: list[str], flag: str):
    text = quickfill(*command, "--help").stdout
    assert flag in text and "bool" not in text


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("command", ["complete", "fill", "serve", "convert", "lsp", "train base"])
def test_help_in_a_narrow_terminal_cuts_no_word(
    quickfill: Quickfill, monkeypatch: pytest.MonkeyPatch, command: str, columns: int
):
    words: dict[int, set[str]] = {}
    for width in (columns, 300):
        monkeypatch.setenv("COLUMNS", str(width))
        text = quickfill(*command.split(), "--help").stdout
        words[width] = {word.strip("`.,;:<>()") for word in re.split(r"[\s│|]+", text) if not set(word) & set("─╭╮╰╯")}
    assert words[columns] - words[300] <= {"One", "of"}
    assert len(words[columns]) > 50
