"""What the user's sessions counted is not the tests' business, nor the other way round."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("lsp.session.state_folder", lambda: tmp_path / "state")
    return tmp_path / "state"
