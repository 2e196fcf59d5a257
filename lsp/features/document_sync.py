"""Open documents, cells of notebooks and workspace folders, kept as the editor has them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lsprotocol import types

from lsp.documents import Document, TextChange, changes_of, path_named

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
    """Apply changes, and stop the model where it writes for a text that is no more."""
    session = ls.session
    session.typing.keystroke(time.monotonic())
    before = session.documents.get(identifier.uri)
    if before is None:
        return
    changes = changes_of(events)
    document = before.changed(changes, identifier.version)
    session.documents.put(document)
    session.suggester.changed(document.unix)
    session.outcomes.changed(document)
    session.surroundings.note(before, changes)
    session.next_editor.note(before, changes)
    session.last_place = document.uri, _end_of(changes, document)


def _end_of(changes: Sequence[TextChange], document: Document) -> types.Range:
    """The place of the last change; the document's start where all of it is new."""
    places = [max(change.range) for change in changes if change.range is not None]
    line, column = min(places[-1], document.position(len(document.text))) if places else (0, 0)
    return types.Range(types.Position(line, column), types.Position(line, column))


def notebook_did_open(ls: QuickfillServer, params: types.DidOpenNotebookDocumentParams) -> None:
    notebook = params.notebook_document
    ls.session.documents.notebooks[notebook.uri] = [cell.document for cell in notebook.cells]
    for cell in params.cell_text_documents:
        open_document(ls, cell)


def notebook_did_change(ls: QuickfillServer, params: types.DidChangeNotebookDocumentParams) -> None:
    change = params.change.cells
    cells = ls.session.documents.notebooks.get(params.notebook_document.uri)
    if change is None or cells is None:
        return
    if change.structure is not None:
        array = change.structure.array
        cells[array.start : array.start + array.delete_count] = [cell.document for cell in array.cells or ()]
        for cell in change.structure.did_open or ():
            open_document(ls, cell)
        for cell in change.structure.did_close or ():
            ls.session.documents.close(cell.uri)
    for text in change.text_content or ():
        change_document(ls, text.document, text.changes)


def notebook_did_close(ls: QuickfillServer, params: types.DidCloseNotebookDocumentParams) -> None:
    ls.session.documents.notebooks.pop(params.notebook_document.uri, None)
    for cell in params.cell_text_documents:
        ls.session.documents.close(cell.uri)


def folders_did_change(ls: QuickfillServer, params: types.DidChangeWorkspaceFoldersParams) -> None:
    removed = {path_named(folder.uri) for folder in params.event.removed}
    kept = [folder for folder in ls.session.folders if path_named(folder) not in removed]
    known = {path_named(folder) for folder in kept}
    ls.session.folders = kept + [folder.uri for folder in params.event.added if path_named(folder.uri) not in known]
