"""`textDocument/inlineCompletion`: ghost text."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lsprotocol import types

from coder.errors import QuickfillError
from lsp.cursor import Cursor, unix_line_breaks
from lsp.documents import Document
from lsp.greeting import ACCEPTED_COMMAND
from lsp.suggestion_cache import Suggestion

if TYPE_CHECKING:
    from lsp.server import QuickfillServer

log = logging.getLogger(__name__)


async def inline_completion(
    ls: QuickfillServer, params: types.InlineCompletionParams
) -> types.InlineCompletionList | None:
    document = ls.session.documents.get(params.text_document.uri)
    if document is None:
        return None
    invoked = params.context.trigger_kind == types.InlineCompletionTriggerKind.Invoked
    cursor = _cursor(ls, document, params)
    try:
        suggestions = await ls.session.suggester.suggest(cursor, ls.session.settings, invoked=invoked)
    except QuickfillError as error:
        log.warning("no suggestion: %s", error)
        return None
    return types.InlineCompletionList([_item(document, cursor, suggestion) for suggestion in suggestions])


def _cursor(ls: QuickfillServer, document: Document, params: types.InlineCompletionParams) -> Cursor:
    place = document.offset(params.position.line, params.position.character)
    start, end, selected = place, place, ""
    info = params.context.selected_completion_info
    if info is not None:
        start = document.offset(info.range.start.line, info.range.start.character)
        end = document.offset(info.range.end.line, info.range.end.character)
        selected = info.text
    above = "".join(f"{unix_line_breaks(cell.text)}\n\n" for cell in ls.session.documents.cells_before(document.uri))
    return Cursor(
        uri=document.uri,
        language=document.language,
        prefix=unix_line_breaks(document.text[:start] + selected),
        suffix=unix_line_breaks(document.text[end:]),
        start=start,
        end=end,
        selected=selected,
        above=above,
    )


def _item(document: Document, cursor: Cursor, suggestion: Suggestion) -> types.InlineCompletionItem:
    start = types.Position(*document.position(cursor.start))
    end = types.Position(*document.position(cursor.end + suggestion.replaces))
    return types.InlineCompletionItem(
        insert_text=cursor.selected + suggestion.text,
        range=types.Range(start, end),
        command=types.Command("Suggestion accepted", ACCEPTED_COMMAND, arguments=[suggestion.id]),
    )
