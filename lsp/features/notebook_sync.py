"""Notebooks: their cells are documents, and know which cells stand above them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from lsp.features.document_sync import change_document, open_document

if TYPE_CHECKING:
    from lsp.language_server import QuickfillServer


def did_open(ls: QuickfillServer, params: types.DidOpenNotebookDocumentParams) -> None:
    notebook = params.notebook_document
    ls.session.documents.notebooks[notebook.uri] = [cell.document for cell in notebook.cells]
    for cell in params.cell_text_documents:
        open_document(ls, cell)


def did_change(ls: QuickfillServer, params: types.DidChangeNotebookDocumentParams) -> None:
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


def did_close(ls: QuickfillServer, params: types.DidCloseNotebookDocumentParams) -> None:
    ls.session.documents.notebooks.pop(params.notebook_document.uri, None)
    for cell in params.cell_text_documents:
        ls.session.documents.close(cell.uri)
