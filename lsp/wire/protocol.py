"""pygls' protocol, made robust: every request is answered, a malformed one too, and buffers are kept exactly, by
`lsp.documents`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import cattrs
from lsprotocol import converters, types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidRequest, JsonRpcParseError
from pygls.io_ import StdoutWriter
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.json_rpc import JsonRPCNotification, JsonRPCRequestMessage, JsonRPCResponseMessage, RPCMessage

from lsp.wire.framing import MalformedMessageError, read_message

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

log = logging.getLogger(__name__)

REPLACED_BUILT_INS = (
    types.INITIALIZE,
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_CLOSE,
    types.NOTEBOOK_DOCUMENT_DID_OPEN,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE,
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS,
    types.WORKSPACE_EXECUTE_COMMAND,
)
"""Methods that pygls must not handle: it splits lines where editors do not, and fails on documents that it does not
know. `initialize` was answered before (see `lsp.wire.greeting`)."""


class QuickfillProtocol(LanguageServerProtocol):
    def __init__(self, server: LanguageServer, converter: cattrs.Converter) -> None:
        super().__init__(server, converter)
        for method in REPLACED_BUILT_INS:
            del self.fm.builtin_features[method]

    def receive(self, message: Any) -> None:
        """Handle one message, whatever it holds."""
        name = message.get("id") if isinstance(message, dict) else None
        is_request = isinstance(name, int | str) and "method" in message
        try:
            if not _is_message(message):
                raise JsonRpcInvalidRequest(f"not a JSON-RPC 2.0 message: {str(message)[:80]}")
            if self._shutdown and is_request:
                raise JsonRpcInvalidRequest("the server is shutting down")
            structured = self.structure_message(message)
            if is_request and not hasattr(structured, "id"):
                raise JsonRpcInvalidRequest(f"{message['method']} is a notification, and has no answer")
            self.handle_message(cast(RPCMessage, structured))
        except JsonRpcException as error:
            log.warning("refused a message: %s", error)
            if is_request or not isinstance(message, dict):
                self.refuse(error, name if is_request else None)
        except Exception:
            log.exception("a message could not be handled")

    def refuse(self, error: JsonRpcException, id: int | str | None = None) -> None:
        """Answer with an error, also a message whose id nobody knows."""
        reason = {"code": error.code, "message": error.message}
        self._send_data({"jsonrpc": self.VERSION, "id": id, "error": reason})


class EditorWriter(StdoutWriter):
    """Writes to the editor. What it is no longer there to read is dropped: the end of what it sends ends the server."""

    def write(self, data: bytes) -> None:
        with suppress(OSError, ValueError):  # a pipe without a reader, a file that is closed
            super().write(data)


async def serve(
    protocol: QuickfillProtocol, incoming: BinaryIO, outgoing: BinaryIO, close: Callable[[], object]
) -> None:
    """Read and handle messages until the stream ends, and then `close`. `exit` leaves by `SystemExit`."""
    protocol.set_writer(EditorWriter(outgoing))
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_report)
    with ExitStack() as at_the_end, ThreadPoolExecutor(1, "quickfill-reader") as reader:
        at_the_end.callback(close)
        while True:
            try:
                message = await loop.run_in_executor(reader, read_message, incoming)
            except MalformedMessageError as error:
                protocol.refuse(JsonRpcParseError(str(error)))
                continue
            if message is None:
                return
            protocol.receive(message)


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what went wrong in a callback. What is cancelled when the editor leaves is no error."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)


def converter() -> cattrs.Converter:
    """Reads and writes the protocol's types; parameters of methods that it does not know stay as JSON."""
    made = converters.get_converter()
    for kind, names in (
        (JsonRPCRequestMessage, ("id", "jsonrpc", "method", "params")),
        (JsonRPCNotification, ("jsonrpc", "method", "params")),
        (JsonRPCResponseMessage, ("id", "jsonrpc", "result")),
    ):
        made.register_structure_hook(kind, _reads_json(kind, names))
    return made


def _reads_json(kind: Any, names: tuple[str, ...]) -> Any:
    return lambda message, _: kind(**{name: message.get(name) for name in names})


def _is_message(message: Any) -> bool:
    match message:
        case {"jsonrpc": "2.0", "method": str(), "id": int() | str()}:
            return True
        case {"jsonrpc": "2.0", "method": str()}:
            return "id" not in message
        case {"jsonrpc": "2.0", "id": int() | str()}:
            return "result" in message or "error" in message
    return False
