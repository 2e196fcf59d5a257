"""Which files does a keystroke pass? `python -m benchmarks.keystroke_files`.

Runs the language server with the model in this process, types one character of Python in a workspace of two files, asks
for ghost text, and lists the project's files of which a function ran between the two. Work ahead and the loading of the
model are left out.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Annotated, Any, BinaryIO

import typer

from benchmarks.report import print_rows, report_console
from lsp.wire.framing import read_message, write_message

ROOT = Path(__file__).parents[1]
FOLDERS = ("coder", "lsp")

HELPER = '"""Figures of a shop."""\n\n\ndef mean(values):\n    return sum(values) / len(values)\n'
TEXT = 'from helper import mean\n\n\ndef report(prices):\n    """Print the mean of the prices."""\n    print('
KEY = "f"
"""Not what the model suggests before it, which would only be shown on."""


class Recorder:
    """The files of the project whose functions run while it is on, in every thread that starts after it."""

    def __init__(self) -> None:
        self.on = False
        self.files: dict[str, None] = {}

    def start(self) -> None:
        sys.setprofile(self._profile)
        threading.setprofile(self._profile)

    def _profile(self, frame: FrameType, event: str, argument: object) -> None:
        if self.on and event == "call":
            self.files[frame.f_code.co_filename] = None

    def of_the_project(self) -> list[Path]:
        """Relative to the repository, in the order in which they were entered."""
        paths = [Path(name).relative_to(ROOT) for name in self.files if name.startswith(f"{ROOT}{os.sep}")]
        return [path for path in paths if path.parts[0] in FOLDERS]


class Editor:
    """The editor's side of a pipe: requests are answered in turn, notifications of the server are read past."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self._last = 0

    def notify(self, method: str, params: Any) -> None:
        write_message(self._outgoing, {"jsonrpc": "2.0", "method": method, "params": params})

    def request(self, method: str, params: Any) -> Any:
        self._last += 1
        write_message(self._outgoing, {"jsonrpc": "2.0", "id": self._last, "method": method, "params": params})
        while True:
            message = read_message(self._incoming)
            assert isinstance(message, dict), "the server has gone"
            if "method" not in message and message["id"] == self._last:
                return message["result"]


def main(
    model: Annotated[str, typer.Option(help="'embedded', a folder, or a hub id.")] = "embedded",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the list to this file.")] = None,
) -> None:
    """List the files between a keystroke and its ghost text."""
    recorder = Recorder()
    with TemporaryDirectory() as folder:
        recorder.start()
        text = keystroke(recorder, Path(folder), model)
    files = recorder.of_the_project()
    rows = [{"file": path.as_posix(), "lines": len((ROOT / path).read_text("utf-8").splitlines())} for path in files]
    lines = sum(row["lines"] for row in rows if isinstance(row["lines"], int))
    print_rows(report_console(), f"{len(files)} files, {lines} lines, to suggest {text!r}", rows)
    if json_file is not None:
        json_file.write_text(json.dumps({"files": rows, "count": len(files), "lines": lines}, indent=2), "utf-8")


def keystroke(recorder: Recorder, folder: Path, model: str) -> str:
    """Type one character with the recorder on. Returns the suggestion."""
    to_server, from_editor = os.pipe()
    to_editor, from_server = os.pipe()
    server = threading.Thread(target=_serve, args=(os.fdopen(to_server, "rb"), os.fdopen(from_server, "wb")))
    server.start()
    editor = Editor(os.fdopen(to_editor, "rb"), os.fdopen(from_editor, "wb"))
    options = {"engine": "in-process", "model": model, "gate": 0.0, "metrics": False, "budgetMs": 60_000}
    workspace = [{"uri": folder.as_uri(), "name": folder.name}]
    capabilities = {"textDocument": {"inlineCompletion": {}}}
    params = {"capabilities": capabilities, "initializationOptions": options, "workspaceFolders": workspace}
    editor.request("initialize", params)
    editor.notify("initialized", {})
    uri = _open(editor, folder / "shop.py", TEXT)
    _open(editor, folder / "helper.py", HELPER)
    _ask(editor, uri, TEXT, invoked=True)  # waits for the model
    recorder.on = True
    line, column = _end(TEXT)
    place = {"line": line, "character": column}
    change = {"range": {"start": place, "end": place}, "text": KEY}
    editor.notify("textDocument/didChange", {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [change]})
    found = _ask(editor, uri, TEXT + KEY, invoked=False)
    recorder.on = False
    editor.request("shutdown", None)
    editor.notify("exit", None)
    server.join()
    return found


def _serve(incoming: BinaryIO, outgoing: BinaryIO) -> None:
    from lsp.server import run
    from lsp.wire.greeting import greet

    client = greet(incoming, outgoing)
    assert client is not None
    run(client, incoming, outgoing)


def _open(editor: Editor, path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    document = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": text}
    editor.notify("textDocument/didOpen", {"textDocument": document})
    return path.as_uri()


def _ask(editor: Editor, uri: str, text: str, *, invoked: bool) -> str:
    line, column = _end(text)
    place = {"line": line, "character": column}
    context = {"triggerKind": 1 if invoked else 2}
    params = {"textDocument": {"uri": uri}, "position": place, "context": context}
    items = editor.request("textDocument/inlineCompletion", params)["items"]
    return items[0]["insertText"] if items else ""


def _end(text: str) -> tuple[int, int]:
    """Line and column behind the last character."""
    return text.count("\n"), len(text) - text.rfind("\n") - 1


if __name__ == "__main__":
    typer.run(main)
