"""A session from `initialize` to `exit`, with a real server in a process of its own."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import subprocess
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from lsprotocol import types

from lsp.wire.client import Client
from lsp.wire.framing import read_message, write_message
from lsp.wire.greeting import initialize_result
from tests.e2e.editor import PATIENCE, QUICKFILL, ROOT, SCRIPTED, editor, environment

FUNCTION = "def add(first, second):\n    \n"


@pytest.mark.asyncio
async def test_a_session_is_greeted_loads_with_progress_and_ends_with_code_0(tmp_path: Path):
    configuration = {"budgetMs": 200, "bugdet": 1, "gate": "high"}
    async with editor(tmp_path, configuration=configuration) as session:
        assert session.capabilities.inline_completion_provider == types.InlineCompletionOptions()
        assert session.capabilities.completion_provider is None
        await session.ready()
        status = await session.rested()
        assert (status.state, status.model, status.shared) == ("ready", "scripted", False)
        begin, end = session.client.progress_reports["quickfill-loading"]
        assert isinstance(begin, types.WorkDoneProgressBegin) and isinstance(end, types.WorkDoneProgressEnd)
        assert any("no setting 'bugdet'" in warning for warning in session.warnings)
        assert any("'gate' is not used" in warning for warning in session.warnings)
        assert len(session.warnings) == 2 and not session.errors
        assert await session.leave() == 0


@pytest.mark.asyncio
async def test_settings_change_while_the_session_goes_on(tmp_path: Path):
    async with editor(tmp_path) as session:
        await session.ready()
        session.open(FUNCTION)
        assert await session.texts((1, 4)) == ["return first + second"]
        session.client.set_configuration({"automatic": False}, section="quickfill")
        session.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(None))
        await session.status()
        session.change((1, 4), (1, 4), "x")
        session.change((1, 4), (1, 5), "")
        assert await session.texts((1, 4)) == []
        pushed = types.DidChangeConfigurationParams({"quickfill": {"automatic": True, "languages": ["go"]}})
        session.client.workspace_did_change_configuration(pushed)
        assert await session.texts((1, 4), invoked=True) == []


@pytest.mark.asyncio
async def test_what_is_no_request_of_ours_is_refused_and_the_server_lives_on(tmp_path: Path):
    async with editor(tmp_path) as session:
        assert await session.error_of("textDocument/unheardOf", {}) == -32601
        assert await session.error_of("quickfill/fill", {"ranges": []}) == -32602
        assert await session.error_of(types.WORKSPACE_EXECUTE_COMMAND, types.ExecuteCommandParams("rm")) == -32602
        again = types.InitializeParams(types.ClientCapabilities())
        assert await session.error_of(types.INITIALIZE, again) == -32601
        assert (await session.status()).model == "scripted" and not session.errors


def converse(folder: Path, *messages: bytes | dict[str, Any]) -> tuple[list[Any], int]:
    """Send messages, raw ones as they are, to a server whose input then ends. Returns its answers and exit code."""
    process = subprocess.Popen(
        SCRIPTED, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=environment(folder)
    )
    stdin, stdout = cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)
    with stdin:
        for message in messages:
            if isinstance(message, bytes):
                stdin.write(message)
            else:
                write_message(stdin, {"jsonrpc": "2.0"} | message)
    answers = []
    with stdout:
        while (answer := read_message(stdout)) is not None:
            answers.append(answer)
    return answers, process.wait(PATIENCE)


INITIALIZE = {"id": 1, "method": "initialize", "params": {"capabilities": {}}}
STATUS = {"id": 2, "method": "quickfill/status", "params": None}


def test_damaged_messages_are_answered_where_they_can_be(tmp_path: Path):
    damaged = b"Content-Length: 3\r\n\r\n{{{Content-Length: 2\r\n\r\n[]"
    wrong = {"id": 8, "method": "textDocument/inlineCompletion", "params": {"position": "here"}}
    strange = [{"id": [1], "method": "x"}, {"id": 1.5, "method": "x"}, {"method": 7}, {"id": 9}, {"id": 9, "result": 1}]
    answers, code = converse(tmp_path, INITIALIZE, damaged, *strange, wrong, STATUS)
    assert [answer["error"]["code"] for answer in answers if answer.get("error")] == [-32700, -32600, -32602]
    assert answers[-1]["id"] == 2 and answers[-1]["result"]["model"] == "embedded"
    assert code == 1


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([], 1),
        ([{"method": "exit"}], 1),
        ([INITIALIZE, {"method": "exit"}], 1),
        ([INITIALIZE, {"id": 3, "method": "shutdown"}, STATUS, {"method": "exit"}], 0),
    ],
)
def test_the_exit_code_says_whether_the_editor_shut_the_server_down(tmp_path: Path, messages, code):
    answers, exit_code = converse(tmp_path, *messages)
    assert exit_code == code
    if len(messages) == 4:
        assert answers[-1]["id"] == 2 and answers[-1]["error"]["code"] == -32600


@pytest.mark.parametrize("messages", [(), ({"method": "initialized", "params": {}},)])
def test_an_editor_that_leaves_while_the_model_loads_leaves_no_trace_of_it(tmp_path: Path, messages):
    incoming = io.BytesIO()
    options = {"capabilities": {}, "initializationOptions": {"engine": "in-process"}}
    for message in (INITIALIZE | {"params": options}, *messages):
        write_message(incoming, {"jsonrpc": "2.0"} | message)
    sent = incoming.getvalue()
    done = subprocess.run(QUICKFILL, input=sent, capture_output=True, cwd=ROOT, env=environment(tmp_path), check=False)
    assert (done.returncode, done.stderr) == (1, b"")


def test_what_an_editor_no_longer_reads_is_dropped_without_a_word(tmp_path: Path):
    process = subprocess.Popen(
        SCRIPTED,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=environment(tmp_path),
    )
    assert process.stdin and process.stdout and process.stderr
    sent, read = cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)
    opened = {"uri": "file:///a.py", "languageId": "python", "version": 1, "text": FUNCTION}
    asked = {"textDocument": {"uri": "file:///a.py"}, "position": {"line": 1, "character": 4}}
    write_message(sent, {"jsonrpc": "2.0"} | INITIALIZE)
    assert read_message(read) is not None
    read.close()
    for message in (
        {"method": "initialized", "params": {}},
        {"method": "textDocument/didOpen", "params": {"textDocument": opened}},
        {"id": 3, "method": "textDocument/inlineCompletion", "params": asked | {"context": {"triggerKind": 1}}},
        STATUS,
    ):
        write_message(sent, {"jsonrpc": "2.0"} | message)
    sent.close()
    assert (process.wait(PATIENCE), process.stderr.read()) == (1, b"")
    process.stderr.close()


def test_over_tcp_one_editor_on_this_machine_is_served(tmp_path: Path):
    command = [*QUICKFILL, "--tcp", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment(tmp_path))
    assert process.stderr is not None
    address, port = process.stderr.readline().split()[-1].split(":")
    with socket.create_connection((address, int(port)), PATIENCE) as connection:
        with connection.makefile("wb") as outgoing:
            for message in (INITIALIZE, {"id": 3, "method": "shutdown"}, {"method": "exit"}):
                write_message(outgoing, {"jsonrpc": "2.0"} | message)
        with connection.makefile("rb") as incoming:
            greeting = {"jsonrpc": "2.0", "id": 1, "result": initialize_result(Client())}
            assert read_message(incoming) == greeting
            assert read_message(incoming) == {"jsonrpc": "2.0", "id": 3, "result": None}
    assert (address, process.wait(PATIENCE)) == ("127.0.0.1", 0)
    process.stderr.close()


@pytest.mark.asyncio
async def test_what_suggestions_were_worth_is_kept_for_the_user(tmp_path: Path):
    async with editor(tmp_path) as session:
        await session.ready()
        session.open(FUNCTION)
        (item,) = await session.suggestions((1, 4))
        assert item.command is not None
        command = types.ExecuteCommandParams(item.command.command, item.command.arguments)
        await session.request(types.WORKSPACE_EXECUTE_COMMAND, command)
    (file,) = (tmp_path / "state" / "quickfill").glob("metrics-*.jsonl")
    counted = [json.loads(line)["counts"] for line in file.read_text().splitlines()]
    assert counted == [{"shown": 1, "accepted": 1}]
    command = [*QUICKFILL, "--stats"]
    shown = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment(tmp_path)
    )
    assert "100%" in shown.stdout
