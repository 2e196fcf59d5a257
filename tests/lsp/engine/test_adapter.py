"""`quickfill lsp --adapter`: the adapter is in whichever model the editor's settings name."""

from __future__ import annotations

from pathlib import Path

import pytest

from lsp.engine import opening
from lsp.engine.opening import open_engine, opener_of
from lsp.settings import Settings


def test_the_model_of_the_settings_gets_the_adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    opened: list[str] = []
    monkeypatch.setattr(opening, "open_engine", lambda settings: opened.append(settings.model))
    adapter = tmp_path / "project.safetensors"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    for model in ("embedded", "mine"):
        opener_of(adapter)(Settings(model=model))
    assert opened == [f"embedded+{adapter}", f"{tmp_path.resolve() / 'mine'}+{adapter}"]


def test_without_an_adapter_the_model_is_as_the_settings_say():
    assert opener_of(None) is open_engine
