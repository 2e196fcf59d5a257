"""The command line in this process, with a fake engine."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from coder import cli
from coder.commands import shared
from coder.errors import QuickfillError
from tests.commands.results import Quickfill, Result
from tests.scripted import ScriptedModel, completion


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> ScriptedModel:
    fake = ScriptedModel([completion("answer")], edits=True)
    monkeypatch.setattr(shared, "load_engine", lambda model, runtime, threads, view=None, warm=False: fake)
    return fake


@pytest.fixture
def broken_checkpoint(monkeypatch: pytest.MonkeyPatch) -> Callable[[QuickfillError], None]:
    def refuse_with(error: QuickfillError) -> None:
        def load_engine(model: str, runtime: str, threads: int | None, view: object = None, warm: bool = False) -> None:
            raise error

        monkeypatch.setattr(shared, "load_engine", load_engine)

    return refuse_with


@pytest.fixture
def quickfill(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Quickfill:
    """Run `quickfill` with arguments, in an empty folder, on a `terminal` without colours or on none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: object, stdin: bytes = b"", terminal: bool = False) -> Result:
        monkeypatch.setattr(sys, "argv", ["quickfill", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
        with pytest.raises(SystemExit) as leaving:
            cli.main()
        output = capsys.readouterr()
        return Result(int(leaving.value.code or 0), output.out, output.err)

    return run
