"""`quickfill/fill` and `quickfill/edit`: edits of a document, for the version that was asked about."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcContentModified, JsonRpcException, JsonRpcInvalidParams

from coder.edits import Edited, EditRequest, Filled, FillRequest
from coder.errors import QuickfillError
from lsp.documents import Document
from lsp.engine_client import EngineClient
from lsp.features import wire
from lsp.features.denoising import Audience, HolesView, RegionView
from lsp.messages import EditParams, FillParams, Range, TextDocument, Watched
from lsp.suggester import DENOISING_POLICY
from lsp.surroundings import file_path, indexed_folder

if TYPE_CHECKING:
    from lsp.server import QuickfillServer

Answer = TypeVar("Answer")
Update = TypeVar("Update")

REQUEST_FAILED = -32803
"""`LSPErrorCodes.RequestFailed`: a request that was right and could not be answered."""


async def fill(ls: QuickfillServer, params: object) -> types.WorkspaceEdit:
    asked = wire.parsed(FillParams, params)
    document = open_document(ls, asked.text_document)
    text, places = document.unix.text, [_span(document, hole) for hole in asked.ranges]
    spans = sorted(places)
    borders = [0, *(border for span in spans for border in span), len(text)]
    if borders != sorted(borders):
        raise JsonRpcInvalidParams("the ranges overlap")
    texts = tuple(text[start:end] for start, end in zip(borders[::2], borders[1::2], strict=True))
    audience = _audience(ls, document, asked)
    request = FillRequest(
        texts,
        path=_path(document),
        language=document.language,
        policy=_policy(audience),
        deadline_ms=ls.session.settings.edit_budget_ms,
        workspace=_workspace(ls, document),
    )
    view = audience and HolesView(audience, request, spans, [spans.index(place) for place in places])
    filled = await _ask(ls, document, lambda engine, stop: engine.stream_fill(request, stop), Filled, view)
    return wire.versioned_edit(
        document,
        (
            wire.text_edit(document, start, end + middle.replaces, middle.text)
            for (start, end), middle in zip(spans, filled.middles, strict=True)
        ),
    )


async def edit(ls: QuickfillServer, params: object) -> types.WorkspaceEdit | None:
    asked = wire.parsed(EditParams, params)
    document = open_document(ls, asked.text_document)
    start, end = _span(document, asked.range)
    audience = _audience(ls, document, asked)
    request = EditRequest(
        document.unix.text,
        start,
        end,
        asked.instruction,
        path=_path(document),
        language=document.language,
        policy=_policy(audience),
        deadline_ms=ls.session.settings.edit_budget_ms,
        workspace=_workspace(ls, document),
    )
    view = audience and RegionView(audience)
    edited = await _ask(ls, document, lambda engine, stop: engine.stream_edit(request, stop), Edited, view)
    if not edited.changes:
        return None
    return wire.versioned_edit(
        document, (wire.text_edit(document, change.start, change.end, change.text) for change in edited.changes)
    )


async def _ask(
    ls: QuickfillServer,
    document: Document,
    ask: Callable[[EngineClient, threading.Event], Generator[Update | Answer, None, None]],
    kind: type[Answer],
    view: Callable[[Update], None] | None,
) -> Answer:
    """What a stream of the engine ends with, if the document is still the same; `view` sees what comes before."""
    cancelled = threading.Event()
    host = ls.session.host

    def last(engine: EngineClient) -> Answer:
        with closing(ask(engine, cancelled)) as events:
            for event in events:
                if isinstance(event, kind):
                    return event
                if view is not None:
                    view(event)  # type: ignore[arg-type]
        raise AssertionError("a stream ends with its answer")

    try:
        engine = await host.client()
        with host.working():
            answer = await asyncio.to_thread(last, engine)
    except QuickfillError as error:
        raise JsonRpcException(str(error), REQUEST_FAILED) from error
    finally:
        cancelled.set()
    if ls.session.documents.get(document.uri) is not document:
        raise JsonRpcContentModified("the document has changed meanwhile")
    return answer


def open_document(ls: QuickfillServer, identifier: TextDocument) -> Document:
    """The document as the editor has it. Raises JsonRpcInvalidParams, JsonRpcContentModified."""
    document = ls.session.documents.get(identifier.uri)
    if document is None:
        raise JsonRpcInvalidParams(f"{identifier.uri} is not open")
    if identifier.version not in (None, document.version):
        raise JsonRpcContentModified("the document has changed meanwhile")
    return document


def _audience(ls: QuickfillServer, document: Document, asked: Watched) -> Audience | None:
    wanted = ls.session.settings.denoising if asked.denoising is None else asked.denoising
    return Audience(ls, document, asked.work_done_token) if wanted else None


def _policy(audience: Audience | None) -> str:
    return "auto" if audience is None else DENOISING_POLICY


def _path(document: Document) -> str | None:
    path = file_path(document.uri)
    return None if path is None else str(path)


def _workspace(ls: QuickfillServer, document: Document) -> str | None:
    path = file_path(document.uri)
    return None if path is None else indexed_folder(path, ls.session.settings, ls.session.folders)


def _span(document: Document, range: Range) -> tuple[int, int]:
    places = ((place.line, place.character) for place in (range.start, range.end))
    start, end = sorted(document.unix.offset(*place) for place in places)
    return start, end
