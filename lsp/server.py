"""The language server, put together."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from importlib import metadata
from typing import BinaryIO

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from lsp import protocol
from lsp.client import Client
from lsp.features import configuration, document_sync, inline_completion, lifecycle, status
from lsp.messages import STATUS
from lsp.session import EngineOpener, Session, open_engine

FEATURES: dict[str, Callable[..., object]] = {
    types.INITIALIZED: lifecycle.initialized,
    types.SHUTDOWN: lifecycle.shutdown,
    types.TEXT_DOCUMENT_DID_OPEN: document_sync.did_open,
    types.TEXT_DOCUMENT_DID_CHANGE: document_sync.did_change,
    types.TEXT_DOCUMENT_DID_CLOSE: document_sync.did_close,
    types.TEXT_DOCUMENT_INLINE_COMPLETION: inline_completion.inline_completion,
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: configuration.did_change_configuration,
    STATUS: status.status,
}
"""What answers each method."""


class QuickfillServer(LanguageServer):
    """A server for one editor. Handlers find everything they share in `session`."""

    def __init__(self, client: Client, opener: EngineOpener) -> None:
        super().__init__(
            "quickfill",
            metadata.version("quickfill"),
            protocol_cls=protocol.QuickfillProtocol,
            converter_factory=protocol.converter,
        )
        self.session = Session(client, opener, self.protocol.notify)

    def report_server_error(self, error: Exception, source: object) -> None:
        """Errors are logged (pygls does) and answered; a message to the user for each would be noise."""


def create_server(client: Client, opener: EngineOpener = open_engine) -> QuickfillServer:
    server = QuickfillServer(client, opener)
    for method, handler in FEATURES.items():
        server.feature(method)(handler)
    return server


def run(client: Client, incoming: BinaryIO, outgoing: BinaryIO) -> int:
    """Serve an editor whose `initialize` was answered, until it leaves. Returns the exit code."""
    server = create_server(client)
    assert isinstance(server.protocol, protocol.QuickfillProtocol)
    try:
        asyncio.run(protocol.serve(server.protocol, incoming, outgoing))
    except SystemExit as leaving:
        return int(leaving.code or 0)
    except BrokenPipeError:
        print("the editor is gone", file=sys.stderr)
    return 0
