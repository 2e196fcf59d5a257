"""Commands that other distributions add, with throwaway distributions."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.commands.results import Quickfill

GREETER = """
import typer

app = typer.Typer()

@app.command()
def greet(name: str) -> None:
    "Say hello."
    typer.echo(f"hello {name}")
"""

COUNTER = """
import typer

app = typer.Typer(help="Count in several ways.")

@app.command()
def up() -> None:
    typer.echo("1 2 3")

@app.command()
def down() -> None:
    typer.echo("3 2 1")
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put a distribution with one module and one command where Python finds it."""
    site = tmp_path / "site"
    monkeypatch.syspath_prepend(site)

    def install(command: str, module: str, source: str) -> None:
        information = site / f"{module}_distribution-1.0.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}-distribution\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text(f"[quickfill.commands]\n{command} = {module}:app\n")
        (site / f"{module}.py").write_text(source)
        monkeypatch.delitem(sys.modules, module, raising=False)

    return install


def test_a_plugin_is_a_command_like_any_other(quickfill: Quickfill, install):
    install("greet", "greeter_plugin", GREETER)
    install("count", "counter_plugin", COUNTER)
    assert quickfill("greet", "you").stdout == "hello you\n"
    assert quickfill("count", "down").stdout == "3 2 1\n"
    overview = quickfill("--help").stdout
    assert "Say hello." in overview
    assert "Count in several ways." in overview
    assert "Say hello." in quickfill("greet", "--help").stdout


def test_a_plugin_is_imported_only_when_it_is_needed(quickfill: Quickfill, install):
    install("greet", "greeter_plugin", GREETER)
    install("count", "counter_plugin", COUNTER)
    quickfill("--version")
    quickfill("complete", "--help")
    assert not {"greeter_plugin", "counter_plugin"} & sys.modules.keys()
    quickfill("greet", "you")
    assert "counter_plugin" not in sys.modules


@pytest.mark.parametrize("source", ["import no_such_module", "app = None", "raise RuntimeError('boom')"])
def test_a_broken_plugin_is_a_warning(quickfill: Quickfill, install, source: str):
    install("broken", "broken_plugin", source)
    install("greet", "greeter_plugin", GREETER)
    overview = quickfill("--help")
    assert overview.exit_code == 0
    assert "greet" in overview.stdout
    assert "broken" not in overview.stdout
    assert overview.stderr.startswith("warning: the command 'broken' of broken_plugin-distribution cannot be loaded")
    assert quickfill("greet", "you").stderr == ""

    asked_for = quickfill("broken")
    assert asked_for.exit_code == 4
    assert asked_for.stderr.startswith("error: the command 'broken' of broken_plugin-distribution cannot be loaded")


def test_a_plugin_never_replaces_a_command(quickfill: Quickfill, install):
    install("complete", "greeter_plugin", GREETER)
    assert "FILE:LINE[:COL]" in quickfill("complete", "--help").stdout
    assert "greeter_plugin" not in sys.modules
