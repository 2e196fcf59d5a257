"""The playground's page and files as they are sent; `tests/e2e/test_playground.py` uses them in a browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from coder.serve import playground
from coder.serve.playground import build_hook


def test_the_page_may_load_nothing_from_elsewhere(client: httpx.Client):
    page = client.get("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy and "script-src 'self';" in policy
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(sources) > 3 and all(source.startswith("/") for source in sources)
    for source in sources:
        assert client.get(source).status_code == 200, source


def test_it_says_which_editor_there_is(client: httpx.Client, monkeypatch: pytest.MonkeyPatch):
    editor = re.search(r'data-editor="(\w+)"', client.get("/").text)
    assert editor is not None
    assert editor[1] == ("monaco" if (playground.MONACO / "monaco.js").is_file() else "plain")


def test_files_are_asked_for_again_and_are_what_they_say(client: httpx.Client):
    script = client.get("/playground/page/main.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert (script.headers["cache-control"], script.headers["x-content-type-options"]) == ("no-cache", "nosniff")
    assert client.get("/playground/page/main.js", headers={"If-None-Match": script.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("path", ["__init__.py", "../__init__.py", "..%2F__init__.py", "nothing.js", ""])
def test_no_other_files_are_served(client: httpx.Client, path: str):
    for folder in ("page", "monaco"):
        assert client.get(f"/playground/{folder}/{path}").status_code == 404


def test_a_build_without_npm_goes_on_without_the_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    warnings: list[str] = []
    monkeypatch.setattr(shutil, "which", lambda name: None)
    hook = object.__new__(build_hook.PlaygroundHook)
    monkeypatch.setattr(build_hook.PlaygroundHook, "root", str(tmp_path))
    monkeypatch.setattr(build_hook.PlaygroundHook, "app", type("App", (), {"display_warning": warnings.append}))
    monkeypatch.setenv("QUICKFILL_PLAYGROUND", "")
    data = {"artifacts": []}
    hook.initialize("standard", data)
    assert data == {"artifacts": ["coder/serve/playground/built/*"]}
    assert len(warnings) == 1 and "npm is not installed" in warnings[0]
    monkeypatch.setenv("QUICKFILL_PLAYGROUND", "yes")
    with pytest.raises((OSError, subprocess.SubprocessError)):
        hook.initialize("standard", data)
    monkeypatch.setenv("QUICKFILL_PLAYGROUND", "no")
    hook.initialize("standard", data)
    assert len(warnings) == 1
