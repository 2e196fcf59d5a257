"""`textDocument/completion`: a suggestion in the completion menu, for editors without ghost text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsprotocol import types

from lsp.documents import Document
from lsp.features import wire
from lsp.features.suggestions import accept_command, insertion, suggestions_at
from lsp.suggest.cursor import Cursor, cursor_in
from lsp.suggest.suggestion_cache import Suggestion

if TYPE_CHECKING:
    from lsp.language_server import QuickfillServer

WORD_BEFORE = re.compile(r"\w*\Z")

LONGEST_LABEL = 60


async def completion(ls: QuickfillServer, params: types.CompletionParams) -> types.CompletionList | None:
    document = ls.session.documents.get(params.text_document.uri)
    if document is None or not ls.session.client.completion_menu:
        return None
    place = document.unix.offset(*wire.position(params.position))
    cursor = cursor_in(document, place, place, cells=ls.session.documents.cells_before(document))
    found = await suggestions_at(ls, cursor, invoked=False)
    return types.CompletionList(is_incomplete=True, items=[_item(document, cursor, suggestion) for suggestion in found])


def _item(document: Document, cursor: Cursor, suggestion: Suggestion) -> types.CompletionItem:
    """An entry that replaces the word before the cursor too: menus filter by it."""
    line = document.unix.text[: cursor.start].rpartition("\n")[2]
    word = line[len(line) - len(line.lstrip()) :] and WORD_BEFORE.search(line)
    word = word.group() if word else ""
    text = word + insertion(cursor, suggestion, document.line_break)
    label = text.strip().splitlines()[0]
    return types.CompletionItem(
        label=label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…",
        kind=types.CompletionItemKind.Text,
        detail="Quickfill",
        documentation=text,
        filter_text=text.splitlines()[0] if text.splitlines()[0].strip() else word,
        insert_text_mode=types.InsertTextMode.AsIs,
        text_edit=types.TextEdit(
            wire.range_of(document.unix, cursor.start - len(word), cursor.end + suggestion.replaces), text
        ),
        command=accept_command(suggestion),
    )
