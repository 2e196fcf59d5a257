"""`quickfill/fill` and `quickfill/edit`: edits of a document, for the version that was asked about."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcContentModified, JsonRpcException, JsonRpcInvalidParams

from coder.edits import EditRequest, FillRequest
from coder.errors import QuickfillError
from lsp.documents import Document
from lsp.engine_client import EngineClient
from lsp.features import wire
from lsp.messages import EditParams, FillParams, Range, TextDocument
from lsp.surroundings import file_path

if TYPE_CHECKING:
    from lsp.server import QuickfillServer

Answer = TypeVar("Answer")

REQUEST_FAILED = -32803
"""`LSPErrorCodes.RequestFailed`: a request that was right and could not be answered."""


async def fill(ls: QuickfillServer, params: object) -> types.WorkspaceEdit:
    asked = wire.parsed(FillParams, params)
    document = _document(ls, asked.text_document)
    text, spans = document.unix.text, sorted(_span(document, hole) for hole in asked.ranges)
    borders = [0, *(border for span in spans for border in span), len(text)]
    if borders != sorted(borders):
        raise JsonRpcInvalidParams("the ranges overlap")
    texts = tuple(text[start:end] for start, end in zip(borders[::2], borders[1::2], strict=True))
    request = FillRequest(texts, path=_path(document), language=document.language)
    filled = await _ask(ls, document, lambda engine, cancelled: engine.fill(request, cancelled))
    return wire.versioned_edit(
        document,
        (
            _text_edit(document, start, end + middle.replaces, middle.text)
            for (start, end), middle in zip(spans, filled.middles, strict=True)
        ),
    )


async def edit(ls: QuickfillServer, params: object) -> types.WorkspaceEdit:
    asked = wire.parsed(EditParams, params)
    document = _document(ls, asked.text_document)
    start, end = _span(document, asked.range)
    request = EditRequest(
        document.unix.text, start, end, asked.instruction, path=_path(document), language=document.language
    )
    edited = await _ask(ls, document, lambda engine, cancelled: engine.edit(request, cancelled))
    return wire.versioned_edit(
        document, (_text_edit(document, change.start, change.end, change.text) for change in edited.changes)
    )


async def _ask(
    ls: QuickfillServer, document: Document, ask: Callable[[EngineClient, threading.Event], Answer]
) -> Answer:
    """The engine's answer, if the document is still the same."""
    cancelled = threading.Event()
    host = ls.session.host
    try:
        engine = await host.client()
        with host.working():
            answer = await asyncio.to_thread(ask, engine, cancelled)
    except QuickfillError as error:
        raise JsonRpcException(str(error), REQUEST_FAILED) from error
    finally:
        cancelled.set()
    if ls.session.documents.get(document.uri) is not document:
        raise JsonRpcContentModified("the document has changed meanwhile")
    return answer


def _document(ls: QuickfillServer, identifier: TextDocument) -> Document:
    document = ls.session.documents.get(identifier.uri)
    if document is None:
        raise JsonRpcInvalidParams(f"{identifier.uri} is not open")
    if identifier.version not in (None, document.version):
        raise JsonRpcContentModified("the document has changed meanwhile")
    return document


def _path(document: Document) -> str | None:
    path = file_path(document.uri)
    return None if path is None else str(path)


def _span(document: Document, range: Range) -> tuple[int, int]:
    places = ((place.line, place.character) for place in (range.start, range.end))
    start, end = sorted(document.unix.offset(*place) for place in places)
    return start, end


def _text_edit(document: Document, start: int, end: int, text: str) -> Any:
    return types.TextEdit(wire.range_of(document.unix, start, end), text.replace("\n", document.line_break))
