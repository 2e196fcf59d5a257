"""Nothing leaves the machine: no name is looked up and no connection made but to this user's own sockets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

LISTENING = """
import json, sys
used = []
def note(event, arguments):
    connects = event in ("socket.connect", "socket.sendto") and not isinstance(arguments[1], str)
    if connects or event == "socket.getaddrinfo":
        used.append(f"{event} {arguments[1:]}")
sys.addaudithook(note)
from coder.cli import main
try:
    main()
finally:
    print("\\n" + json.dumps(used))
"""
"""The command line in a Python that notes every use of the network; paths of Unix sockets are not one."""


def used_by(*arguments: str, folder: Path) -> list[str]:
    command = [sys.executable, "-c", LISTENING, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text("def mean(values):\n    return <fill>\n\n\ndef total(values):\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ("complete", "app.py:5", "--json", "--workspace", "."),
        ("fill", "app.py"),
        ("doctor", "--json"),
        ("lsp", "--stats"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_no_command_uses_the_network(project: Path, arguments: tuple[str, ...]):
    assert used_by(*arguments, folder=project) == []


def test_a_use_of_the_network_would_be_seen(tmp_path: Path):
    code = "import socket\nsocket.socket().connect_ex(('127.0.0.1', 9))\n"
    (tmp_path / "coder").mkdir()
    (tmp_path / "coder" / "__init__.py").touch()
    (tmp_path / "coder" / "cli.py").write_text(f"def main():\n    {code.replace(chr(10), chr(10) + '    ')}pass\n")
    assert used_by(folder=tmp_path) == ["socket.connect (('127.0.0.1', 9),)"]
