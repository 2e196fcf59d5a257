"""Real code to make examples of, and a tiny model of an infilling family to lay them out for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coder.model.checkpoint.infilling_tokens import HOLE
from data.pack.layout import Layout
from data.pack.packing import PackingJob
from data.pack.settings import PackSettings
from data.pack.text import SourceText
from tests.tiny import write_tiny_tokenizer
from tests.train.infilling_models import family, special_tokens

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
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that is no more than its vocabulary: what packing reads."""
    folder = tmp_path_factory.mktemp("model")
    special = [*special_tokens(family("Qwen2.5-Coder")), HOLE]
    size = write_tiny_tokenizer(folder / "tokenizer.json", special)
    (folder / "config.json").write_text(json.dumps({"vocab_size": size}), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def layout(model: Path) -> Layout:
    return PackingJob(model, Path(), PackSettings()).layout()
