"""`quickfill convert` says what it wrote, what the checkpoint can do, and what went wrong."""

from __future__ import annotations

import json
from pathlib import Path

from coder.model.checkpoint.opening import open_checkpoint
from tests.commands.results import Quickfill
from tests.tiny import write_tiny_checkpoint


def test_there_and_back(quickfill: Quickfill, tmp_path: Path):
    source = write_tiny_checkpoint(tmp_path / "tiny")
    for arguments in (("tiny", "a.gguf", "--to", "gguf"), ("a.gguf", "stock", "--to", "transformers"), ("stock", "b")):
        result = quickfill("convert", *arguments)
        assert (result.exit_code, result.stdout, result.stderr) == (0, f"wrote {arguments[1]}\n", "")
    assert open_checkpoint(str(tmp_path / "b")).config == open_checkpoint(str(source)).config


def test_a_checkpoint_that_was_never_adapted_completes_and_is_named_so(quickfill: Quickfill, tmp_path: Path):
    folder = write_tiny_checkpoint(tmp_path / "stock")
    settings = json.loads((folder / "config.json").read_text())
    del settings["quickfill"]
    (folder / "config.json").write_text(json.dumps(settings))
    result = quickfill("complete", "-", "--model", folder, stdin=b"x = ")
    assert result.exit_code == 0
    assert "has not been adapted to fill a canvas" in result.stderr
    assert "has not been adapted" in quickfill("convert", folder, "ready").stderr
    result = quickfill("complete", "-", "--model", "ready", "--max-tokens", 3, stdin=b"x = ")
    assert result.exit_code in (0, 5)
    assert "has not been adapted" in result.stderr
    result = quickfill("complete", "-", "--model", "ready", "--policy", "threshold", stdin=b"x = ")
    assert (result.exit_code, "cannot decode with threshold" in result.stderr) == (2, True)


def test_what_is_there_already_stays(quickfill: Quickfill, tmp_path: Path):
    write_tiny_checkpoint(tmp_path / "tiny")
    write_tiny_checkpoint(tmp_path / "there")
    result = quickfill("convert", "tiny", "there")
    assert (result.exit_code, "--force" in result.stderr) == (2, True)
    assert quickfill("convert", "tiny", "there", "--force").exit_code == 0
