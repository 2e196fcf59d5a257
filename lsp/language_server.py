"""The language server of one editor, without its handlers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import metadata

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from lsp.engine.opening import EngineOpener, open_engine
from lsp.session import EditorSession
from lsp.wire.client import Client
from lsp.wire.protocol import QuickfillProtocol, converter


class QuickfillServer(LanguageServer):
    """A server for one editor. Handlers find everything they share in `session`.

    Args:
        features: the handler of each method.
    """

    def __init__(
        self, client: Client, features: Mapping[str, Callable[..., object]], opener: EngineOpener = open_engine
    ) -> None:
        super().__init__(
            "quickfill",
            metadata.version("quickfill"),
            protocol_cls=QuickfillProtocol,
            converter_factory=converter,
        )
        self.session = EditorSession(client, opener, self.protocol.notify, self.show_error)
        for method, handler in features.items():
            self.feature(method)(handler)

    def show_error(self, message: str) -> None:
        self.window_show_message(types.ShowMessageParams(types.MessageType.Error, f"Quickfill: {message}"))

    def show_warning(self, message: str) -> None:
        self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, f"Quickfill: {message}"))

    def show_information(self, message: str) -> None:
        self.window_show_message(types.ShowMessageParams(types.MessageType.Info, f"Quickfill: {message}"))

    def report_server_error(self, error: Exception, source: object) -> None:
        """Errors are logged and answered; a message to the user for each, as pygls has it, would be noise."""
