"""`textDocument/inlineCompletion`: ghost text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from lsp.documents import Document
from lsp.features import wire
from lsp.features.denoising import Audience, CompletionView
from lsp.features.suggestions import accept_command, insertion, suggestions_at
from lsp.suggest.cursor import Cursor, cursor_in

if TYPE_CHECKING:
    from lsp.language_server import QuickfillServer


async def inline_completion(
    ls: QuickfillServer, params: types.InlineCompletionParams
) -> types.InlineCompletionList | None:
    document = ls.session.documents.get(params.text_document.uri)
    if document is None:
        return None
    invoked = params.context.trigger_kind == types.InlineCompletionTriggerKind.Invoked
    if invoked and not ls.session.settings.invoked:
        return None
    cursor = _cursor(ls, document, params)
    watch = None
    if invoked and ls.session.settings.denoising:
        audience = Audience(ls, document, params.work_done_token)
        watch = CompletionView(audience, cursor.start, cursor.end + cursor.replaces)
    found = await suggestions_at(ls, cursor, invoked=invoked, watch=watch)
    return types.InlineCompletionList(
        [
            types.InlineCompletionItem(
                insert_text=insertion(cursor, suggestion, document.line_break),
                range=wire.range_of(document.unix, cursor.start, cursor.end + suggestion.replaces),
                command=accept_command(suggestion),
            )
            for suggestion in found
        ]
    )


def _cursor(ls: QuickfillServer, document: Document, params: types.InlineCompletionParams) -> Cursor:
    """The place asked for; with an entry of the completion menu selected, its range and text."""
    cells = ls.session.documents.cells_before(document)
    selected = params.context.selected_completion_info
    if selected is None:
        place = document.unix.offset(*wire.position(params.position))
        return cursor_in(document, place, place, cells=cells)
    start = document.unix.offset(*wire.position(selected.range.start))
    end = document.unix.offset(*wire.position(selected.range.end))
    return cursor_in(document, start, max(start, end), selected.text, cells)
