"""The language server with all its handlers, and its main loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import BinaryIO, cast

from lsprotocol import types

from lsp.engine.opening import EngineOpener, open_engine
from lsp.features import (
    actions,
    document_sync,
    editing,
    lifecycle,
    next_edit,
    suggestions,
)
from lsp.language_server import QuickfillServer
from lsp.wire import messages
from lsp.wire.client import Client
from lsp.wire.protocol import QuickfillProtocol, serve

FEATURES: dict[str, Callable[..., object]] = {
    types.INITIALIZED: lifecycle.initialized,
    types.SHUTDOWN: lifecycle.shutdown,
    types.TEXT_DOCUMENT_DID_OPEN: document_sync.did_open,
    types.TEXT_DOCUMENT_DID_CHANGE: document_sync.did_change,
    types.TEXT_DOCUMENT_DID_CLOSE: document_sync.did_close,
    types.NOTEBOOK_DOCUMENT_DID_OPEN: document_sync.notebook_did_open,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE: document_sync.notebook_did_change,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE: document_sync.notebook_did_close,
    types.TEXT_DOCUMENT_INLINE_COMPLETION: suggestions.inline_completion,
    types.TEXT_DOCUMENT_COMPLETION: suggestions.completion,
    types.TEXT_DOCUMENT_CODE_ACTION: actions.code_action,
    types.CODE_ACTION_RESOLVE: actions.resolve,
    types.WORKSPACE_EXECUTE_COMMAND: actions.execute_command,
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: lifecycle.did_change_configuration,
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: document_sync.folders_did_change,
    messages.STATUS: lifecycle.status,
    messages.FILL: editing.fill,
    messages.EDIT: editing.edit,
    messages.NEXT_EDIT: next_edit.next_edit,
    messages.DID_REST: suggestions.did_rest,
    messages.INLINE_EDIT: next_edit.next_edit,
    messages.DID_SHOW_COMPLETION: suggestions.did_show,
    messages.DID_PARTIALLY_ACCEPT_COMPLETION: suggestions.did_partially_accept,
    messages.DID_SHOW_INLINE_EDIT: suggestions.did_show_inline_edit,
    messages.DID_FOCUS: suggestions.did_focus,
}
"""The handler of each method."""


def run(client: Client, incoming: BinaryIO, outgoing: BinaryIO, opener: EngineOpener = open_engine) -> int:
    """Serve an editor whose `initialize` was answered, until it leaves. Returns the exit code."""
    server = QuickfillServer(client, FEATURES, opener)
    try:
        asyncio.run(serve(cast(QuickfillProtocol, server.protocol), incoming, outgoing, server.session.close))
    except SystemExit as leaving:
        return int(leaving.code or 0)
    except BrokenPipeError:
        return 1
    return 1
