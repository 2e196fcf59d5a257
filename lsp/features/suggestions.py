"""Suggestions as ghost text and in the completion menu, and the editor's notifications about them."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lsprotocol import types

from coder.errors import QuickfillError
from lsp.documents import Document, place_of
from lsp.features.denoising import Audience, CompletionPreview
from lsp.suggest.drafts import SuggestionQuery, Watcher
from lsp.suggest.gate import wants_suggestions
from lsp.suggest.suggestion_cache import Suggestion
from lsp.suggest.surroundings import Cursor, cursor_in
from lsp.wire.greeting import ACCEPTED_COMMAND
from lsp.wire.messages import CompletionEvent, RestParams

if TYPE_CHECKING:
    from lsp.language_server import QuickfillServer


log = logging.getLogger(__name__)


async def suggestions_at(
    ls: QuickfillServer, cursor: Cursor, *, invoked: bool, watch: Watcher | None = None
) -> tuple[Suggestion, ...]:
    """Return suggestions, counted as shown. Where the engine fails there are none, and the status says why."""
    session, started = ls.session, time.monotonic()
    if not wants_suggestions(cursor.document, session.settings, session.folders):
        return ()
    try:
        gather = session.surroundings.around(
            cursor.document, cursor.start, session.documents, session.settings, session.folders
        )
        found = await session.suggester.suggest(SuggestionQuery(cursor, session.settings, invoked, gather, watch))
    except QuickfillError as error:
        log.warning("no suggestion: %s", error)
        return ()
    if found:
        session.metrics.add_latency(time.monotonic() - started)
    session.outcomes.shown(cursor, found)
    return found


async def did_rest(ls: QuickfillServer, params: object) -> None:
    """`quickfill/didRest`: compute ahead what a suggestion needs at the end of the cursor's line or below it.

    Wherever else the user begins to write, most of that serves too: the text before.
    """
    rests = RestParams.parse(params)
    session, document = ls.session, ls.session.documents.get(rests.text_document.uri)
    if document is None or not wants_suggestions(document, session.settings, session.folders):
        return
    text = document.unix.text
    place = document.unix.offset(rests.position.line, rests.position.character)
    line_end = text.find("\n", place)
    place = len(text) if line_end < 0 else line_end
    cursor = cursor_in(document, place, place, cells=session.documents.cells_before(document))
    gather = session.surroundings.around(document, cursor.start, session.documents, session.settings, session.folders)
    await session.suggester.prepare(SuggestionQuery(cursor, session.settings, invoked=False, gather=gather))


def insertion(cursor: Cursor, suggestion: Suggestion, line_break: str) -> str:
    """The text that a suggestion inserts, with the line breaks of the document."""
    return (cursor.selected + suggestion.text).replace("\n", line_break)


def accept_command(suggestion: Suggestion) -> types.Command:
    """The command that an editor runs on acceptance: the suggestion's id, and its probability for whoever wants it."""
    facts = {"probability": round(suggestion.probability, 4)}
    return types.Command("Suggestion accepted", ACCEPTED_COMMAND, arguments=[suggestion.id, facts])


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
        watch = CompletionPreview(audience, cursor.start, cursor.end + cursor.replaces)
    found = await suggestions_at(ls, cursor, invoked=invoked, watch=watch)
    return types.InlineCompletionList(
        [
            types.InlineCompletionItem(
                insert_text=insertion(cursor, suggestion, document.line_break),
                range=document.unix.range(cursor.start, cursor.end + suggestion.replaces),
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
        place = document.unix.offset(*place_of(params.position))
        return cursor_in(document, place, place, cells=cells)
    start = document.unix.offset(*place_of(selected.range.start))
    end = document.unix.offset(*place_of(selected.range.end))
    return cursor_in(document, start, max(start, end), selected.text, cells)


WORD_BEFORE = re.compile(r"\w*\Z")

LONGEST_LABEL = 60


async def completion(ls: QuickfillServer, params: types.CompletionParams) -> types.CompletionList | None:
    document = ls.session.documents.get(params.text_document.uri)
    if document is None or not ls.session.client.completion_menu:
        return None
    place = document.unix.offset(*place_of(params.position))
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
        text_edit=types.TextEdit(document.unix.range(cursor.start - len(word), cursor.end + suggestion.replaces), text),
        command=accept_command(suggestion),
    )


def accepted(ls: QuickfillServer, arguments: Sequence[object]) -> None:
    """`quickfill.accepted`, with a suggestion's id."""
    if arguments:
        ls.session.outcomes.accepted(str(arguments[0]))


def did_show(ls: QuickfillServer, params: object) -> None:
    """Ignored: suggestions count as shown when they are sent."""


def did_partially_accept(ls: QuickfillServer, params: object) -> None:
    suggestion = CompletionEvent.parse(params).item.suggestion
    if suggestion is not None:
        ls.session.outcomes.partially_accepted(suggestion)
        ls.session.suggester.cache.prefer(suggestion)


def did_show_inline_edit(ls: QuickfillServer, params: object) -> None:
    """Ignored, as `did_show`."""


def did_focus(ls: QuickfillServer, params: object) -> None:
    """Ignored: suggestions do not depend on the focus."""
