"""The answer to `initialize`, given before the server is loaded.

Importing the protocol's types takes half a second, an editor waits for this answer before it does anything else, and
the answer needs none of them.
"""

from __future__ import annotations

from importlib import metadata
from typing import Any, BinaryIO

from lsp.wire.client import Client
from lsp.wire.framing import MalformedMessageError, read_message, write_message

NOT_INITIALIZED = -32002
PARSE_ERROR = -32700

ACCEPTED_COMMAND = "quickfill.accepted"
"""The command that an editor runs when a suggestion was accepted; its argument is the suggestion's id."""

EDIT_COMMANDS = (
    "quickfill.fillHoles",
    "quickfill.rewrite",
    "quickfill.writeDocstring",
    "quickfill.repair",
    "quickfill.nextEdit",
)
"""Commands that change a document, for editors that do not know our requests."""

ACTION_KINDS = (
    "quickfix.quickfill",
    "refactor.rewrite.quickfill.block",
    "refactor.rewrite.quickfill.docstring",
    "refactor.rewrite.quickfill.fill",
)

TRIGGER_CHARACTERS = (".", "(", "=", " ", "\n")
"""After these the completion menu asks for a suggestion, in editors without ghost text."""


def greet(incoming: BinaryIO, outgoing: BinaryIO) -> Client | None:
    """Wait for `initialize` and answer it. Other requests before it are refused, notifications dropped.

    Returns: the editor; None if it left instead.
    """
    while True:
        try:
            message = read_message(incoming)
        except MalformedMessageError as error:
            write_message(outgoing, _refusal(None, PARSE_ERROR, str(error)))
            continue
        match message:
            case None | {"method": "exit"}:
                return None
            case {"id": int() | str() as id, "method": "initialize", **rest}:
                client = Client.from_initialize(rest.get("params"))
                write_message(outgoing, {"jsonrpc": "2.0", "id": id, "result": initialize_result(client)})
                return client
            case {"id": int() | str() as id, "method": _}:
                write_message(outgoing, _refusal(id, NOT_INITIALIZED, "the first request must be initialize"))


def initialize_result(client: Client) -> dict[str, Any]:
    """The result of `initialize`: the server's name, version and capabilities for this editor."""
    return {
        "serverInfo": {"name": "quickfill", "version": metadata.version("quickfill")},
        "capabilities": capabilities(client),
    }


def capabilities(client: Client) -> dict[str, Any]:
    offered: dict[str, Any] = {
        "positionEncoding": client.position_encoding,
        "textDocumentSync": {"openClose": True, "change": 2},
        "inlineCompletionProvider": {},
        "codeActionProvider": {"codeActionKinds": list(ACTION_KINDS), "resolveProvider": client.resolves_edits},
        "executeCommandProvider": {"commands": [ACCEPTED_COMMAND, *EDIT_COMMANDS]},
        "workspace": {"workspaceFolders": {"supported": True, "changeNotifications": True}},
    }
    if client.notebooks:
        offered["notebookDocumentSync"] = {"notebookSelector": [{"notebook": "*", "cells": [{"language": "*"}]}]}
    if client.completion_menu:
        offered["completionProvider"] = {"triggerCharacters": list(TRIGGER_CHARACTERS)}
    return offered


def _refusal(id: int | str | None, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}
