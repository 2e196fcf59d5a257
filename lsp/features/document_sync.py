"""Text documents: opened, changed, closed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lsprotocol import types

from lsp.documents import Document

if TYPE_CHECKING:
    from lsp.server import QuickfillServer


def did_open(ls: QuickfillServer, params: types.DidOpenTextDocumentParams) -> None:
    item = params.text_document
    encoding = ls.session.client.position_encoding
    ls.session.documents.put(Document(item.uri, item.language_id, item.version, item.text, encoding))


def did_change(ls: QuickfillServer, params: types.DidChangeTextDocumentParams) -> None:
    ls.session.typing.keystroke(time.monotonic())
    document = ls.session.documents.get(params.text_document.uri)
    if document is not None:
        ls.session.documents.put(apply_changes(document, params.content_changes, params.text_document.version))


def did_close(ls: QuickfillServer, params: types.DidCloseTextDocumentParams) -> None:
    ls.session.documents.close(params.text_document.uri)


def apply_changes(document: Document, changes, version: int) -> Document:
    """The document after changes, each of which refers to the text that the one before left."""
    for change in changes:
        if isinstance(change, types.TextDocumentContentChangePartial):
            start = document.offset(change.range.start.line, change.range.start.character)
            end = document.offset(change.range.end.line, change.range.end.character)
        else:
            start, end = 0, len(document.text)
        document = document.changed(start, end, change.text, version)
    return document
