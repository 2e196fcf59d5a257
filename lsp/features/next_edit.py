"""`quickfill/nextEdit`, in Copilot's words `textDocument/copilotInlineEdit`: where and what to change next."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from coder.api.text_requests import Change
from coder.editing.next_edit import edit_window
from lsp.documents import Document
from lsp.edit.edit_task import EditTask
from lsp.edit.next.next_editor import Offered
from lsp.edit.next.suggestions import NextEdit
from lsp.features.editing import changes_for, open_document, range_params, require_unchanged
from lsp.suggest.gate import wants_suggestions
from lsp.wire.greeting import ACCEPTED_COMMAND
from lsp.wire.messages import CommandReport, NextEditItem, NextEditParams, NextEdits, VersionedDocument

if TYPE_CHECKING:
    from lsp.language_server import QuickfillServer

INVOKED = 1


async def next_edit(ls: QuickfillServer, params: object) -> dict[str, object]:
    asked = NextEditParams.parse(params)
    document = open_document(ls, asked.text_document)
    invoked = asked.context.trigger_kind == INVOKED
    if not invoked and not ls.session.settings.next_edit:
        return NextEdits(edits=[]).to_json()
    offset = document.unix.offset(asked.position.line, asked.position.character)
    found = await find(ls, document, offset, invoked=invoked, elsewhere=ls.session.client.other_files)
    return NextEdits(edits=[_item(offered) for offered in found]).to_json()


async def find(
    ls: QuickfillServer, document: Document, offset: int, *, invoked: bool, elsewhere: bool
) -> list[Offered]:
    """The likeliest next edits of a document, the best first: found by syntax, or else one `elsewhere` that follows
    from what was changed, or else, if they are asked for and the checkpoint has learned that, written by the model.
    Raises JsonRpcContentModified."""
    session = ls.session
    if not wants_suggestions(document, session.settings, session.folders):
        return []
    search = session.next_editor.search(document, invoked=invoked)
    found = await asyncio.to_thread(search)
    if not found and elsewhere:
        documents = session.documents.by_uri.values()
        wanted = [each for each in documents if wants_suggestions(each, session.settings, session.folders)]
        found = await asyncio.to_thread(session.next_editor.search_elsewhere(wanted, invoked=invoked))
    if not found and invoked and ls.session.can("edits"):
        found = await _written(ls, document, offset)
    for each in (document, *(offered.document for offered in found)):
        require_unchanged(ls, each)
    session.next_editor.shown(document, found)
    return found


async def _written(ls: QuickfillServer, document: Document, offset: int) -> list[Offered]:
    """The lines around the cursor written anew, as one edit."""
    text = document.unix.text
    changes = await changes_for(ls, EditTask(document, "rewrite", (edit_window(text, offset),)))
    if not changes:
        return []
    edit = _joined(text, changes)
    return [Offered("model", document, NextEdit(*edit, "model", "Rewrite what is around the cursor", 0.5))]


def _joined(text: str, changes: tuple[Change, ...]) -> tuple[int, int, str]:
    """Several changes as one that reaches from the first to the last."""
    start, new, position = changes[0].start, "", changes[0].start
    for change in changes:
        new += text[position : change.start] + change.text
        position = change.end
    return start, position, new


def _item(offered: Offered) -> NextEditItem:
    document, edit = offered.document, offered.edit
    return NextEditItem(
        id=offered.id,
        text_document=VersionedDocument(uri=document.uri, version=document.version),
        range=range_params(document, (edit.start, edit.end)),
        text=edit.text.replace("\n", document.line_break),
        source=edit.source,
        title=edit.title,
        probability=round(edit.probability, 4),
        command=CommandReport(title="Next edit accepted", command=ACCEPTED_COMMAND, arguments=[offered.id]),
    )
