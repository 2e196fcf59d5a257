"""An editor's side of the protocol: a real server in a process of its own, driven by pytest-lsp."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pytest_lsp import LanguageClient, make_test_lsp_client

from tests.cache_home import cache_home

ROOT = Path(__file__).parents[2]
SCRIPTED = (sys.executable, "-m", "tests.lsp.scripted")
QUICKFILL = (sys.executable, "-c", "from coder.start import main; main()", "lsp")

PATIENCE = 60.0
"""Seconds for anything to happen before a test fails."""

Place = tuple[int, int]


class Editor:
    """An editor that has one server, and remembers what it was told.

    Attributes:
        edits: what it was asked to apply. applies: whether it does.
        found: the documents for which it was told to ask again.
    """

    def __init__(self, client: LanguageClient, result: types.InitializeResult, folder: Path) -> None:
        self.client = client
        self.capabilities = result.capabilities
        self.folder = folder
        self.versions: dict[str, int] = {}
        self.edits: list[Any] = []
        self.applies = True
        self.updates: list[Any] = []
        self.found: asyncio.Queue[Any] = asyncio.Queue()
        self.updated = asyncio.Event()

    @property
    def errors(self) -> list[str]:
        return [message.message for message in self.client.messages if message.type == types.MessageType.Error]

    @property
    def warnings(self) -> list[str]:
        return [message.message for message in self.client.messages if message.type == types.MessageType.Warning]

    @property
    def notes(self) -> list[str]:
        return [message.message for message in self.client.messages if message.type == types.MessageType.Info]

    def listen(self) -> None:
        """Remember the edits that the server asks to be applied, and what it tells."""

        @self.client.feature(types.WORKSPACE_APPLY_EDIT)
        def apply_edit(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
            self.edits.append(params.edit)
            return types.ApplyWorkspaceEditResult(applied=self.applies)

        @self.client.feature("quickfill/didDenoise")
        def did_denoise(update: Any) -> None:
            self.updates.append(update)
            self.updated.set()

        @self.client.feature("quickfill/didFindSuggestion")
        def did_find(params: Any) -> None:
            self.found.put_nowait(params.textDocument)

    async def request(self, method: str, params: Any) -> Any:
        async with asyncio.timeout(PATIENCE):
            return await self.client.protocol.send_request_async(method, params)

    async def error_of(self, method: str, params: Any) -> int:
        """The code of the error that a request is answered with."""
        return (await self.refusal_of(method, params)).code

    async def refusal_of(self, method: str, params: Any) -> JsonRpcException:
        """The error that a request is answered with."""
        try:
            await self.request(method, params)
        except JsonRpcException as error:
            return error
        raise AssertionError(f"{method} was answered")

    async def status(self) -> Any:
        return await self.request("quickfill/status", {})

    async def rested(self) -> Any:
        """The status when nothing is under way any more: alternatives of what was asked for are searched on for."""
        async with asyncio.timeout(PATIENCE):
            while (status := await self.status()).state == "working":
                await asyncio.sleep(0.02)
        return status

    async def ready(self) -> None:
        """Wait until the model is loaded: an invoked suggestion waits for it."""
        self.open("ready", "file:///ready.py")
        await self.suggestions((0, 5), "file:///ready.py", invoked=True)

    def open(self, text: str, uri: str = "file:///a.py", language: str = "python") -> None:
        self.versions[uri] = 1
        item = types.TextDocumentItem(uri, language, 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def change(self, start: Place, end: Place, text: str, uri: str = "file:///a.py") -> None:
        self.versions[uri] += 1
        change = types.TextDocumentContentChangePartial(range=span(start, end), text=text)
        identifier = types.VersionedTextDocumentIdentifier(self.versions[uri], uri)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [change]))

    async def suggestions(
        self,
        place: Place,
        uri: str = "file:///a.py",
        *,
        invoked: bool = False,
        selected: types.SelectedCompletionInfo | None = None,
    ) -> list[types.InlineCompletionItem]:
        result = await self.request(
            types.TEXT_DOCUMENT_INLINE_COMPLETION, inline_params(place, uri, invoked=invoked, selected=selected)
        )
        return [] if result is None else list(result.items)

    async def texts(self, place: Place, uri: str = "file:///a.py", *, invoked: bool = False) -> list[str]:
        return [str(item.insert_text) for item in await self.suggestions(place, uri, invoked=invoked)]

    async def leave(self) -> int:
        """Shut the server down properly. Returns its exit code."""
        server = self.client._server
        assert server is not None
        async with asyncio.timeout(PATIENCE):
            if server.returncode is None:
                await self.client.shutdown_session()
            return await server.wait()


@asynccontextmanager
async def editor(
    folder: Path,
    command: Sequence[str] = SCRIPTED,
    options: dict[str, Any] | None = None,
    configuration: dict[str, Any] | None = None,
    *,
    inline_completion: bool = True,
    encodings: Sequence[types.PositionEncodingKind] = (types.PositionEncodingKind.Utf16,),
    workspace: Sequence[str] = (),
    plain_edits: bool = False,
    other_files: bool = False,
) -> AsyncIterator[Editor]:
    """An editor with a server that it started, its state and cache in `folder`. It leaves at the end, if it has not.

    Args:
        plain_edits: it knows neither versions nor annotations of edits, nor code actions that are resolved later.
        other_files: it shows next edits of other files than the one that it asks about.
    """
    client = make_test_lsp_client()
    client.set_configuration(configuration, section="quickfill")
    await client.start_io(*command, cwd=ROOT, env=environment(folder))
    params = types.InitializeParams(
        capabilities=capabilities(inline_completion, encodings, plain_edits, other_files),
        initialization_options={"engine": "in-process"} | (options or {}),
        workspace_folders=[types.WorkspaceFolder(uri, uri) for uri in workspace],
    )
    async with asyncio.timeout(PATIENCE):
        result = await client.initialize_session(params)
    connected = Editor(client, result, folder)
    connected.listen()
    try:
        yield connected
    finally:
        await connected.leave()
        await client.stop()


def environment(folder: Path) -> dict[str, str]:
    return os.environ | {"XDG_STATE_HOME": str(folder / "state"), "XDG_CACHE_HOME": cache_home(folder / "cache")}


def capabilities(
    inline_completion: bool,
    encodings: Sequence[types.PositionEncodingKind],
    plain_edits: bool = False,
    other_files: bool = False,
) -> types.ClientCapabilities:
    ghost_text = types.InlineCompletionClientCapabilities() if inline_completion else None
    notebooks = types.NotebookDocumentClientCapabilities(types.NotebookDocumentSyncClientCapabilities())
    changes = types.DidChangeConfigurationClientCapabilities(dynamic_registration=False)
    edits = types.WorkspaceEditClientCapabilities(
        document_changes=not plain_edits,
        change_annotation_support=None if plain_edits else types.ChangeAnnotationsSupportOptions(),
    )
    return types.ClientCapabilities(
        general=types.GeneralClientCapabilities(position_encodings=list(encodings)),
        notebook_document=notebooks,
        text_document=types.TextDocumentClientCapabilities(
            inline_completion=ghost_text,
            completion=types.CompletionClientCapabilities(),
            code_action=None if plain_edits else _code_actions(),
        ),
        window=types.WindowClientCapabilities(work_done_progress=True),
        experimental={"quickfill": {"nextEditOtherFiles": other_files, "lateSuggestions": True}},
        workspace=types.WorkspaceClientCapabilities(
            configuration=True, did_change_configuration=changes, workspace_edit=edits
        ),
    )


def _code_actions() -> types.CodeActionClientCapabilities:
    kinds = types.ClientCodeActionKindOptions([types.CodeActionKind.QuickFix, types.CodeActionKind.Refactor])
    return types.CodeActionClientCapabilities(
        code_action_literal_support=types.ClientCodeActionLiteralOptions(kinds),
        resolve_support=types.ClientCodeActionResolveOptions(["edit"]),
        data_support=True,
        disabled_support=True,
    )


def inline_params(
    place: Place,
    uri: str = "file:///a.py",
    *,
    invoked: bool = False,
    selected: types.SelectedCompletionInfo | None = None,
) -> types.InlineCompletionParams:
    kinds = types.InlineCompletionTriggerKind
    context = types.InlineCompletionContext(kinds.Invoked if invoked else kinds.Automatic, selected)
    return types.InlineCompletionParams(context, types.TextDocumentIdentifier(uri), types.Position(*place))


def span(start: Place, end: Place) -> types.Range:
    return types.Range(types.Position(*start), types.Position(*end))
