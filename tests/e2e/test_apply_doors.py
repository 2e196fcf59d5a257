"""Lazy edits at the doors that a user has: the command as a process, and the server over a socket."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.editing.apply.examples import DOUBTFUL, GOLDEN, parts_of
from tests.serve.running_server import running

golden = pytest.mark.parametrize("example", GOLDEN, ids=lambda path: path.stem)
doubtful = pytest.mark.parametrize("example", DOUBTFUL, ids=lambda path: path.stem)


def apply(
    folder: Path, name: str, text: str, edit: str, *options: str
) -> tuple[subprocess.CompletedProcess[bytes], str]:
    """What `quickfill apply` says, and what is in the file then."""
    program = shutil.which("quickfill", path=str(Path(sys.executable).parent))
    assert program, "the tests need the command; CONTRIBUTING.md says how to install it"
    file = folder / name
    file.write_bytes(text.encode())
    arguments = [program, "apply", str(file), "-", "--apply", *options]
    done = subprocess.run(arguments, input=edit.encode(), capture_output=True, timeout=120, check=False)
    return done, file.read_bytes().decode()


@pytest.mark.slow
@golden
def test_the_command_writes_what_the_edit_says(example: Path, tmp_path: Path):
    name, text, edit, result = parts_of(example)
    done, written = apply(tmp_path, name, text, edit)
    assert (done.returncode, written) == (0, result), done.stderr.decode()
    assert (tmp_path / f"{name}.bak").read_bytes() == text.encode()


@pytest.mark.slow
@doubtful
def test_the_command_shows_the_readings_and_writes_the_one_that_is_chosen(example: Path, tmp_path: Path):
    path, text, edit = parts_of(example)
    done, written = apply(tmp_path, path, text, edit)
    assert (done.returncode, written) == (2, text)
    shown = done.stderr.decode()
    assert "--reading N" in shown and shown.count("\nreading ") >= 2
    done, written = apply(tmp_path, path, text, edit, "--reading", "1")
    assert done.returncode == 0
    assert written != text


@pytest.fixture(scope="module")
def client(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with running(tiny, tmp_path_factory.mktemp("cache")) as server, server.client() as client:
        yield client


@golden
def test_the_server_answers_what_the_edit_says(example: Path, client: httpx.Client):
    name, text, edit, result = parts_of(example)
    answer = client.post("/quickfill/v1/apply", json={"text": text, "edit": edit, "path": name})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["answer"]["text"], answer.json()["answer"]["readings"]) == (result, 1)


@golden
def test_mercurys_door_answers_the_same(example: Path, client: httpx.Client):
    name, text, edit, result = parts_of(example)
    message = f"<|original_code|>\n{text}\n<|/original_code|>\n\n<|update_snippet|>\n{edit}\n<|/update_snippet|>"
    body = {"messages": [{"role": "user", "content": message}], "language": LANGUAGES[name.rpartition(".")[2]]}
    answer = client.post("/v1/apply/completions", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == result


LANGUAGES = {
    "py": "python",
    "js": "javascript",
    "ts": "typescript",
    "tsx": "typescriptreact",
    "go": "go",
    "rs": "rust",
    "java": "java",
    "c": "c",
    "cpp": "cpp",
}


@doubtful
def test_the_server_refuses_what_would_lose_lines_unless_a_reading_is_chosen(example: Path, client: httpx.Client):
    path, text, edit = parts_of(example)
    body = {"text": text, "edit": edit, "path": path}
    refused = client.post("/quickfill/v1/apply", json=body)
    assert refused.status_code == 400
    assert "field `reading`" in refused.json()["error"]["message"]
    chosen = client.post("/quickfill/v1/apply", json=body | {"reading": 1})
    assert chosen.status_code == 200
    assert chosen.json()["answer"]["text"] != text
