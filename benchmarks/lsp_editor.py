"""An editor that types into a real language server and measures what comes back."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

SERVER = (sys.executable, "-c", "from coder.start import main; main()", "lsp")


class LspEditor:
    """One document at a time, and a cursor in it. Columns are counted in UTF-32, as Python counts."""

    def __init__(self, client: LanguageClient) -> None:
        self.client = client
        self._ids = itertools.count(1)
        self._uris = itertools.count(1)
        self._uri, self._version = "", 0
        self._position = (0, 0)

    def open(self, before: str, after: str, language: str = "python", name: str = "file.py") -> None:
        """Open a new document of this name with the cursor between two texts."""
        self._uri, self._version = f"file:///benchmark/{next(self._uris)}/{name}", 1
        item = types.TextDocumentItem(self._uri, language, self._version, before + after)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        self._position = (before.count("\n"), len(before) - before.rfind("\n") - 1)

    def type(self, text: str) -> None:
        """Write at the cursor, which moves behind it."""
        line, column = self._position
        self._version += 1
        place = types.Position(line, column)
        change = types.TextDocumentContentChangePartial(types.Range(place, place), text)
        document = types.VersionedTextDocumentIdentifier(self._version, self._uri)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))
        breaks = text.count("\n")
        self._position = (line + breaks, len(text) - text.rfind("\n") - 1 if breaks else column + len(text))

    def close(self) -> None:
        identifier = types.TextDocumentIdentifier(self._uri)
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(identifier))

    def ask(self, *, invoked: bool = False) -> tuple[int, asyncio.Future[Any]]:
        """Ask for suggestions at the cursor; returns the request's id and its answer to come."""
        kinds = types.InlineCompletionTriggerKind
        params = types.InlineCompletionParams(
            types.InlineCompletionContext(kinds.Invoked if invoked else kinds.Automatic),
            types.TextDocumentIdentifier(self._uri),
            types.Position(*self._position),
        )
        number = next(self._ids)
        method = types.TEXT_DOCUMENT_INLINE_COMPLETION
        return number, asyncio.wrap_future(self.client.protocol.send_request(method, params, msg_id=number))

    def cancel(self, number: int) -> None:
        self.client.protocol.notify(types.CANCEL_REQUEST, types.CancelParams(number))

    async def suggestion(self) -> str:
        """The suggestion at the cursor, unasked; an empty text where there is none."""
        return shown(await self.ask()[1])

    async def at_rest(self) -> None:
        """Wait until the server writes nothing any more."""
        while (await self.client.protocol.send_request_async("quickfill/status", {})).state == "working":
            await asyncio.sleep(0.05)

    async def cancelled_within(self) -> float:
        """Seconds from the cancellation of a request under way to its answer."""
        number, answer = self.ask(invoked=True)
        await asyncio.sleep(0.03)
        start = time.perf_counter()
        self.cancel(number)
        try:
            await answer
        except (JsonRpcException, asyncio.CancelledError):
            return time.perf_counter() - start
        raise RuntimeError("the request was answered before it could be cancelled")

    async def ready(self) -> int:
        """Wait until the model is loaded, which a request that the user asked for does. Returns the process that has
        loaded it."""
        self.open("x = ", "\n")
        await self.ask(invoked=True)[1]
        self.close()
        status = await self.client.protocol.send_request_async("quickfill/status", {})
        return status.processId


def shown(result: types.InlineCompletionList | list[types.InlineCompletionItem] | None) -> str:
    """The text of an answer's first item; an empty one where there is none."""
    items = result.items if isinstance(result, types.InlineCompletionList) else result or []
    return str(items[0].insert_text) if items else ""


@asynccontextmanager
async def lsp_editor(settings: dict[str, Any], state: Path) -> AsyncIterator[tuple[LspEditor, float]]:
    """An editor and its server, and the seconds from the server's launch to its answer to `initialize`.

    Args:
        settings: the server's. state: where it may keep state and cache.
    """
    client = LanguageClient("quickfill-benchmark", "1")
    client.feature("quickfill/didChangeStatus")(lambda _: None)
    environment = os.environ | {"XDG_STATE_HOME": str(state), "XDG_RUNTIME_DIR": str(state)}
    start = time.perf_counter()
    await client.start_io(*SERVER, env=environment)
    ghost_text = types.TextDocumentClientCapabilities(inline_completion=types.InlineCompletionClientCapabilities())
    encodings = types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind.Utf32])
    capabilities = types.ClientCapabilities(text_document=ghost_text, general=encodings)
    await client.initialize_async(types.InitializeParams(capabilities, initialization_options=settings))
    initialized = time.perf_counter() - start
    client.initialized(types.InitializedParams())
    try:
        yield LspEditor(client), initialized
    finally:
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()
