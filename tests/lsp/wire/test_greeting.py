"""`initialize` is answered before the server is loaded, whatever the editor says."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from lsprotocol import converters, types

from lsp.wire.client import Client
from lsp.wire.framing import read_message, write_message
from lsp.wire.greeting import greet, initialize_result
from tests.lsp.wire.test_framing import json_values


def conversation(*messages: object) -> tuple[Client | None, list[Any]]:
    incoming, outgoing = io.BytesIO(), io.BytesIO()
    for message in messages:
        write_message(incoming, message)
    incoming.seek(0)
    client = greet(incoming, outgoing)
    outgoing.seek(0)
    return client, list(iter(lambda: read_message(outgoing), None))


def initialize(params: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}


def test_the_answer_says_what_the_server_can_do():
    client, (answer,) = conversation(initialize({"capabilities": {"textDocument": {"inlineCompletion": {}}}}))
    assert client is not None and client.inline_completion
    result = converters.get_converter().structure(answer["result"], types.InitializeResult)
    assert result.capabilities.position_encoding == types.PositionEncodingKind.Utf16
    assert result.capabilities.inline_completion_provider == types.InlineCompletionOptions()
    assert result.capabilities.completion_provider is None
    assert result.capabilities.notebook_document_sync is None


def test_other_requests_before_it_are_refused_and_notifications_dropped():
    early = {"jsonrpc": "2.0", "id": "a", "method": "textDocument/hover", "params": {}}
    client, (refusal, answer) = conversation(
        {"jsonrpc": "2.0", "method": "initialized"}, early, [1, 2], "text", initialize({})
    )
    assert client == Client()
    assert refusal == {
        "jsonrpc": "2.0",
        "id": "a",
        "error": {"code": -32002, "message": "the first request must be initialize"},
    }
    assert answer["id"] == 1


@pytest.mark.parametrize("messages", [[], [{"jsonrpc": "2.0", "method": "exit"}]])
def test_an_editor_may_leave_at_once(messages):
    assert conversation(*messages) == (None, [])


@given(json_values)
def test_parameters_of_any_kind_are_answered(params):
    client, (answer,) = conversation(initialize(params))
    assert isinstance(client, Client)
    assert "capabilities" in answer["result"]


def in_general(encodings: list[str]) -> dict[str, object]:
    return {"capabilities": {"general": {"positionEncodings": encodings}}}


@pytest.mark.parametrize(
    ("encodings", "chosen"),
    [(["utf-8", "utf-16"], "utf-8"), (["utf-32"], "utf-32"), (["utf-7", "utf-16"], "utf-16"), ([], "utf-16")],
)
def test_the_first_known_position_encoding_is_taken(encodings, chosen):
    client = Client.from_initialize(in_general(encodings))
    assert client.position_encoding == chosen
    assert initialize_result(client)["capabilities"]["positionEncoding"] == chosen


@pytest.mark.parametrize(
    ("inline_completion", "setting", "offered"),
    [
        (True, None, False),
        (False, None, True),
        (True, "always", True),
        (False, "never", False),
        (False, "auto", True),
    ],
)
def test_the_completion_menu_is_for_editors_without_ghost_text(inline_completion, setting, offered):
    options = {"completionMenu": setting} if setting else None
    client = Client(inline_completion=inline_completion, options=options)
    assert ("completionProvider" in initialize_result(client)["capabilities"]) == offered


@pytest.mark.parametrize(
    ("properties", "commands", "resolved"), [(["edit"], False, True), ([], False, False), (["edit"], True, False)]
)
def test_edits_are_resolved_where_the_editor_can_and_its_plugin_wants_them(properties, commands, resolved):
    action = {"resolveSupport": {"properties": properties}}
    ours = {"quickfill": {"actionCommands": commands}}
    client = Client.from_initialize({"capabilities": {"textDocument": {"codeAction": action}, "experimental": ours}})
    assert client.resolves_edits == resolved
    assert initialize_result(client)["capabilities"]["codeActionProvider"]["resolveProvider"] == resolved


def test_folders_come_from_the_list_or_the_root():
    folders = {"workspaceFolders": [{"uri": "file:///a", "name": "a"}, {"uri": "file:///b", "name": "b"}, 7]}
    assert Client.from_initialize(folders).folders == ("file:///a", "file:///b")
    assert Client.from_initialize({"rootUri": "file:///root", "workspaceFolders": None}).folders == ("file:///root",)
