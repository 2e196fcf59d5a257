"""Advice on installation: it works, it is the same everywhere, and it is written in one place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from coder import installation
from coder.installation import ADVICE, install_command, missing_extra

ROOT = Path(__file__).parents[1]

COMMANDS = {
    "README.md": "what a reader runs in a clone",
    "CONTRIBUTING.md": "the same for who changes it",
    "docs/install.md": "the page on installation",
    "docs/releasing.md": "what a release tries",
    ".ci/run": "the checks",
    "coder/installation.json": "the one place",
    "tests/test_installation.py": "this file",
    "tests/held_out_code.txt": "old code, to measure models on",
}
"""The files that may hold a command which installs this project, and why."""

ADVISES = re.compile(r"""(?:pip|pipx|uv|uv tool|uv pip) install\s(?:-e\s)?["']?(?:quickfill|\.(?:\s|\[|["'`]|$))""")
FOLDERS = (
    ".ci",
    "benchmarks",
    "coder",
    "data",
    "docs",
    "editor-plugins",
    "evals",
    "examples",
    "lsp",
    "release",
    "tests",
)
SUFFIXES = {"", ".el", ".json", ".lua", ".md", ".mjs", ".py", ".sh", ".toml", ".ts", ".txt", ".yaml"}


@pytest.fixture
def origin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Let the installation have come from somewhere: the content of `direct_url.json`."""
    return lambda **recorded: monkeypatch.setattr(installation, "_origin", lambda: recorded)


def test_from_a_clone_the_command_names_the_clone(origin, tmp_path: Path):
    origin(url=tmp_path.as_uri(), dir_info={})
    assert install_command() == f'pip install "{tmp_path}"'
    assert install_command("serve") == f'pip install "{tmp_path}[serve]"'


def test_an_editable_installation_stays_editable(origin, tmp_path: Path):
    origin(url=tmp_path.as_uri(), dir_info={"editable": True})
    assert install_command("torch") == f'pip install -e "{tmp_path}[torch]"'


def test_from_a_wheel_the_command_names_the_wheel(origin, tmp_path: Path):
    wheel = tmp_path / "a folder" / "quickfill-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.touch()
    origin(url=wheel.as_uri(), archive_info={})
    assert install_command("evals") == f'pip install "{wheel}[evals]"'


def test_from_a_repository_the_command_names_its_address_and_revision(origin):
    origin(url="https://example.org/q.git", vcs_info={"vcs": "git", "commit_id": "1", "requested_revision": "v1"})
    assert install_command("hub") == 'pip install "quickfill[hub] @ git+https://example.org/q.git@v1"'


def test_what_is_gone_or_not_recorded_is_the_installed_package_itself(origin, tmp_path: Path):
    origin(url=(tmp_path / "gone").as_uri(), dir_info={})
    assert install_command("serve") == 'pip install "quickfill[serve]"'
    origin()
    assert install_command("serve") == 'pip install "quickfill[serve]"'


def test_a_missing_extra_is_an_error_with_the_command(origin):
    origin()
    assert str(missing_extra("it needs httpx", "serve")) == (
        "it needs httpx; install the extra 'serve': pip install \"quickfill[serve]\""
    )


def test_the_advice_is_data_that_the_editor_plugins_read_too():
    assert ADVICE.keys() == {"command", "source"}
    assert json.loads((ROOT / "coder/installation.json").read_text(encoding="utf-8")) == ADVICE


def texts() -> Iterator[tuple[str, str]]:
    """The name and the content of every file of the project that may speak to a user."""
    for path in (*ROOT.glob("*"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))):
        name = path.relative_to(ROOT).as_posix()
        generated = {"node_modules", "dist", "__pycache__"} & set(path.parts)
        if path.is_file() and path.suffix in SUFFIXES and not generated and path.name != "tokenizer.json":
            yield name, path.read_text(encoding="utf-8", errors="replace")


def test_no_other_place_advises():
    assert not [
        f"{name}: {match.group()}" for name, text in texts() for match in ADVISES.finditer(text) if name not in COMMANDS
    ]


@pytest.mark.parametrize(
    "text",
    [
        "pip install quickfill",
        'pip install "quickfill[torch]"',
        "pip install .",
        "pip install '.[serve]'",
        'pip install -e ".[dev]"',
        "uv tool install quickfill",
        "pipx install quickfill",
    ],
)
def test_advice_is_recognised(text: str):
    assert ADVISES.search(text)


@pytest.mark.parametrize("text", ["pip install numpy", 'pip install "$project"', "pip install ./triton", "uninstall"])
def test_other_installations_are_left_alone(text: str):
    assert not ADVISES.search(text)
