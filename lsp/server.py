"""The language server, put together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import BinaryIO, cast

from lsprotocol import types

from lsp.engine.opening import EngineOpener, open_engine
from lsp.features import (
    acceptance,
    code_actions,
    commands,
    completion_menu,
    configuration,
    document_sync,
    inline_completion,
    lifecycle,
    next_edit,
    notebook_sync,
    rewriting,
    status,
    workspace_folders,
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
    types.NOTEBOOK_DOCUMENT_DID_OPEN: notebook_sync.did_open,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE: notebook_sync.did_change,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE: notebook_sync.did_close,
    types.TEXT_DOCUMENT_INLINE_COMPLETION: inline_completion.inline_completion,
    types.TEXT_DOCUMENT_COMPLETION: completion_menu.completion,
    types.TEXT_DOCUMENT_CODE_ACTION: code_actions.code_action,
    types.CODE_ACTION_RESOLVE: code_actions.resolve,
    types.WORKSPACE_EXECUTE_COMMAND: commands.execute_command,
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: configuration.did_change_configuration,
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: workspace_folders.did_change,
    messages.STATUS: status.status,
    messages.FILL: rewriting.fill,
    messages.EDIT: rewriting.edit,
    messages.NEXT_EDIT: next_edit.next_edit,
    messages.INLINE_EDIT: next_edit.next_edit,
    messages.DID_SHOW_COMPLETION: acceptance.did_show,
    messages.DID_PARTIALLY_ACCEPT_COMPLETION: acceptance.did_partially_accept,
    messages.DID_SHOW_INLINE_EDIT: acceptance.did_show_inline_edit,
    messages.DID_FOCUS: acceptance.did_focus,
}
"""What answers each method."""


def run(client: Client, incoming: BinaryIO, outgoing: BinaryIO, opener: EngineOpener = open_engine) -> int:
    """Serve an editor whose `initialize` was answered, until it leaves. Returns the exit code."""
    server = QuickfillServer(client, FEATURES, opener)
    try:
        asyncio.run(_serve(server, incoming, outgoing))
    except SystemExit as leaving:
        return int(leaving.code or 0)
    except BrokenPipeError:
        return 1
    return 1


async def _serve(server: QuickfillServer, incoming: BinaryIO, outgoing: BinaryIO) -> None:
    try:
        await serve(cast(QuickfillProtocol, server.protocol), incoming, outgoing)
    finally:
        server.session.close()
