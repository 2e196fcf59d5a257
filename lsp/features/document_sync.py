"""Text documents: opened, changed, closed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lsprotocol import types

from lsp.documents import Change, Document
from lsp.features import wire

if TYPE_CHECKING:
    from lsp.language_server import QuickfillServer


def did_open(ls: QuickfillServer, params: types.DidOpenTextDocumentParams) -> None:
    open_document(ls, params.text_document)


def did_change(ls: QuickfillServer, params: types.DidChangeTextDocumentParams) -> None:
    change_document(ls, params.text_document, params.content_changes)


def did_close(ls: QuickfillServer, params: types.DidCloseTextDocumentParams) -> None:
    ls.session.documents.close(params.text_document.uri)
    ls.session.next_editor.close(params.text_document.uri)


def open_document(ls: QuickfillServer, item: types.TextDocumentItem) -> None:
    encoding = ls.session.client.position_encoding
    ls.session.documents.put(Document(item.uri, item.language_id, item.version, item.text, encoding))
    ls.session.next_editor.close(item.uri)


def change_document(
    ls: QuickfillServer,
    identifier: types.VersionedTextDocumentIdentifier,
    events: Iterable[types.TextDocumentContentChangeEvent],
) -> None:
    """Apply changes. What the model is writing for the text before them is of no use any more."""
    session = ls.session
    session.typing.keystroke(time.monotonic())
    session.suggester.interrupt()
    before = session.documents.get(identifier.uri)
    if before is None:
        return
    changes = wire.changes(events)
    document = before.changed(changes, identifier.version)
    session.documents.put(document)
    session.outcomes.changed(document)
    session.surroundings.note(before, changes)
    session.next_editor.note(before, changes)
    session.last_place = document.uri, _end_of(changes, document)


def _end_of(changes: Sequence[Change], document: Document) -> types.Range:
    """Where the last change was made, or the document's start where all of it is new."""
    places = [max(change.range) for change in changes if change.range is not None]
    line, column = min(places[-1], document.position(len(document.text))) if places else (0, 0)
    return types.Range(types.Position(line, column), types.Position(line, column))
