"""Real code to make examples of, and a tiny checkpoint to lay them out for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.opening import open_checkpoint
from data.pack.layout import Layout
from data.pack.text import SourceText
from tests.tiny import write_tiny_checkpoint

ROOT = Path(__file__).parents[3]
FOLDERS = ("coder/syntax", "coder/diffusion")


@pytest.fixture(scope="session")
def sources() -> list[SourceText]:
    """Some of this project's own files, as files of one package."""
    files = sorted(file for folder in FOLDERS for file in (ROOT / folder).glob("*.py"))
    return [
        SourceText(file.read_text(encoding="utf-8"), "python", file.relative_to(ROOT).as_posix(), "quickfill")
        for file in files
    ]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A tiny checkpoint that says it can do everything."""
    folder = write_tiny_checkpoint(tmp_path_factory.mktemp("tiny"))
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    settings["quickfill"]["abilities"] = {"holes": True, "edits": True, "correction": True, "context": True}
    settings["max_position_embeddings"] = 1024
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    return open_checkpoint(str(folder))


@pytest.fixture(scope="session")
def embedded() -> Checkpoint:
    return open_checkpoint("embedded")


@pytest.fixture(scope="session")
def layout(embedded: Checkpoint) -> Layout:
    return Layout(embedded.config, embedded.tokenizer)
